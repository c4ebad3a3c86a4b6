internal import Cost
internal import RemoteModels
internal import Synchronization
internal import Topology

/// What the calls to a model's endpoint came to in this process, and what they cost.
package struct RemoteModelStatus: Sendable, Equatable {
  package var model: String
  /// As the endpoint and price lists of tokens call it.
  package var endpointModel: String
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
  /// Of the endpoint's GPUs, where it says so.
  package var gpuMicroseconds: Int64
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
        model: model.name, endpointModel: remote.configuration.model, requests: counters.requests,
        repetitions: counters.repetitions,
        rowsScored: counters.rowsScored, rowsFromCache: counters.rowsFromCache, rowsFailed: counters.rowsFailed,
        breakerOpenings: counters.breakerOpenings, promptTokens: counters.use.promptTokens,
        completionTokens: counters.use.completionTokens, cachedTokens: counters.use.cachedTokens,
        gpuMicroseconds: counters.use.gpuMicroseconds)
    }
  }
}

/// Puts the tokens and the GPU time that endpoints count onto the meters, so that they are priced with everything else.
final class RemoteUsage: Sendable {
  private let meters: MeterTable
  /// What was metered already, by model.
  private let metered = Mutex<[String: [Resource: Int64]]>([:])

  init(_ meters: MeterTable) { self.meters = meters }

  func note(_ models: [RemoteModelStatus]) {
    for model in models {
      let counted: [Resource: Int64] = [
        .inputTokens: model.promptTokens, .outputTokens: model.completionTokens,
        .gpuMicroseconds: model.gpuMicroseconds,
      ]
      let former = metered.withLock { metered in
        defer { metered[model.model] = counted }
        return metered[model.model] ?? [:]
      }
      // Fewer than before: another endpoint under the same name.
      let isAnother = counted.contains { $0.value < former[$0.key] ?? 0 }
      let new = isAnother ? counted : counted.merging(former) { $0 - $1 }
      guard new.values.contains(where: { $0 > 0 }) else { continue }
      let slot = meters.slot(.remoteModels, .model(model.model), model: model.endpointModel)
      for (resource, amount) in new { meters.add(amount, resource, to: slot) }
    }
  }
}
