/// Why the vectors of a service are not those that a model was trained on.
package enum VectorProblem: Sendable, Equatable, CustomStringConvertible {
  /// The model takes another number of features.
  case count(Int, features: [String])
  /// At this place the model has another name.
  case column(Int, found: String, expected: String)

  package var description: String {
    switch self {
    case .count(let count, let features): "it takes \(count) features, expected \(features.count)"
    case .column(let index, let found, let expected): "its column \(index) is `\(found)`, expected `\(expected)`"
    }
  }
}

extension ServicePlan {
  /// Holds a model's columns against the service's features: their number and, where the model has them, their names.
  package func problem(featureCount: Int, names: [String]) -> VectorProblem? {
    let features = self.features.map(\.name)
    guard featureCount == features.count else { return .count(featureCount, features: features) }
    guard names.count == features.count, !Self.areNumbered(names) else { return nil }
    for (index, (found, expected)) in zip(names, features).enumerated() where found != expected {
      return .column(index, found: found, expected: expected)
    }
    return nil
  }

  /// `Column_0`, `f1`, `x2`: names that libraries give to columns without names.
  private static func areNumbered(_ names: [String]) -> Bool {
    names.enumerated().allSatisfy { index, name in
      ["Column_\(index)", "f\(index)", "x\(index)"].contains(name)
    }
  }
}
