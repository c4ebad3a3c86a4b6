internal import Topology

/// One topic that the tasks of a plan read, and what is done with its records.
struct InputPlan: Sendable, Equatable {
  enum Role: Sendable, Equatable {
    /// Positions in `Plan.sources`: all that read this topic.
    case sources([Int])
    /// A position in `Plan.views`.
    case deltas(view: Int)
  }

  var topic: String
  var role: Role

  /// The inputs of every task: the topics of the sources, then the repartition topics, each in the plan's order.
  static func all(of plan: Plan) -> [InputPlan] {
    var inputs: [InputPlan] = []
    for (index, source) in plan.sources.enumerated() {
      if let known = inputs.firstIndex(where: { $0.topic == source.topic }),
        case .sources(let others) = inputs[known].role
      {
        inputs[known].role = .sources(others + [index])
      } else {
        inputs.append(InputPlan(topic: source.topic, role: .sources([index])))
      }
    }
    for (index, view) in plan.views.enumerated() {
      if let topic = view.repartitionTopic { inputs.append(InputPlan(topic: topic, role: .deltas(view: index))) }
    }
    return inputs
  }
}
