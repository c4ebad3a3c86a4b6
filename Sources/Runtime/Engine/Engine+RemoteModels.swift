internal import RemoteModels
internal import Topology

/// What the calls to a model's endpoint came to in this process, and what they cost.
package struct RemoteModelStatus: Sendable, Equatable {
  package var model: String
  package var requests: Int64
  package var repetitions: Int64
  package var rowsScored: Int64
  package var rowsFromCache: Int64
  package var rowsFailed: Int64
  package var breakerOpenings: Int64
  /// As the endpoint counts them; zero for one that counts none.
  package var promptTokens: Int64
  package var completionTokens: Int64
  package var cachedTokens: Int64
}

extension Engine {
  /// Of every model of the plan that is behind an endpoint.
  package var remoteModels: [RemoteModelStatus] {
    let plan = plan
    guard let epoch = epochs?.newest else { return [] }
    return plan.models.enumerated().compactMap { index, model in
      guard let champion = epoch[index]?.champion, case .remote(let remote) = champion.scorer else { return nil }
      let counters = remote.counters
      return RemoteModelStatus(
        model: model.name, requests: counters.requests, repetitions: counters.repetitions,
        rowsScored: counters.rowsScored, rowsFromCache: counters.rowsFromCache, rowsFailed: counters.rowsFailed,
        breakerOpenings: counters.breakerOpenings, promptTokens: counters.tokens.promptTokens,
        completionTokens: counters.tokens.completionTokens, cachedTokens: counters.tokens.cachedTokens)
    }
  }
}
