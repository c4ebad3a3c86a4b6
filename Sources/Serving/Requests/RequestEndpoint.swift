package import Topology

/// A topic through which requests to one model come.
package struct RequestEndpoint: Sendable, Hashable {
  package var model: String
  package var topics: RequestsPlan

  /// Those of a plan, in its order.
  package static func all(_ plan: Plan) -> [RequestEndpoint] {
    plan.models.compactMap { model in model.requests.map { RequestEndpoint(model: model.name, topics: $0) } }
  }
}
