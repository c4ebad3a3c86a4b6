internal import Columns
internal import Core
internal import Expressions
internal import Features

/// Collects the inputs and features of one view.
struct ViewAssembly {
  let scope: [ExpressionField]
  private(set) var inputs: [Expression] = []
  private(set) var definitions: [FeatureDefinition] = []
  private(set) var derived: [DerivedFeature] = []
  private(set) var features: [FeaturePlan] = []

  init(scope: [ExpressionField]) { self.scope = scope }

  var viewInputs: [ViewInput] { inputs.map { ViewInput(type: $0.type, canonicalText: $0.canonicalText) } }

  /// What derived features read: every aggregate of the view. Lists keep their place; whoever reads one is told.
  var aggregateScope: [ExpressionField] {
    features.prefix(definitions.count).map { ExpressionField(name: $0.name, type: $0.type.element) }
  }

  func isFree(_ name: String) -> Bool { !features.contains { $0.name == name } }

  /// The position of an expression; equal ones share a place.
  mutating func input(_ expression: Expression) -> Int {
    let isSame = { (other: Expression) in
      other.canonicalText == expression.canonicalText && other.type == expression.type
    }
    if let position = inputs.firstIndex(where: isSame) { return position }
    inputs.append(expression)
    return inputs.count - 1
  }

  /// - Parameter text: as the file says it, with all of its windows.
  mutating func add(_ definition: FeatureDefinition, type: FeatureType, text: String) {
    definitions.append(definition)
    let argument = definition.argument.map { inputs[$0].canonicalText }
    let filter = definition.filter.map { " where \(inputs[$0].canonicalText)" } ?? ""
    let function = definition.function.canonicalText(argument: argument)
    features.append(
      FeaturePlan(
        name: definition.name, type: type, definition: "\(Self.withoutWindows(text)) over \(definition.window.text)",
        canonicalText: "\(function)\(filter) over \(definition.window.canonicalText)",
        fingerprint: Fingerprint(value: 0)))
  }

  mutating func add(_ feature: DerivedFeature, text: String) {
    derived.append(feature)
    features.append(
      FeaturePlan(
        name: feature.name, type: FeatureType(feature.expression.type), definition: text,
        canonicalText: feature.expression.canonicalText, fingerprint: Fingerprint(value: 0)))
  }

  /// What stands in front of the last `over`: everything behind it is windows, which hold no words of their own.
  private static func withoutWindows(_ text: String) -> String {
    var words = text.split(separator: " ", omittingEmptySubsequences: false)
    while let last = words.popLast(), last != "over" {}
    return words.isEmpty ? text : words.joined(separator: " ")
  }
}

extension AggregateFunction {
  /// `percentile(dep_delay, 0.9)`.
  func canonicalText(argument: String?) -> String {
    let parameter: String? =
      switch self {
      case .percentile(let fraction): "\(fraction)"
      case .lastK(let count), .topK(let count): "\(count)"
      case .ewma(let halfLife): DurationLiteral.text(halfLife)
      case .rate(let period): DurationLiteral.text(period)
      default: nil
      }
    let list = [argument, parameter].compactMap(\.self)
    return list.isEmpty ? keyword : "\(keyword)(\(list.joined(separator: ", ")))"
  }
}

extension Window {
  /// As a file writes it, the hop always named.
  var text: String {
    switch self {
    case .sliding(let length, let hop): "\(Self.durationText(length)) every \(Self.durationText(hop))"
    case .tumbling(let length): "tumbling(\(Self.durationText(length)))"
    case .lifetime: "lifetime"
    case .session(let gap): "session(\(Self.durationText(gap)))"
    case .lastEvents(let count): "last(\(count))"
    }
  }

  /// The span of event time that it looks at; nil of windows without one.
  var lengthMilliseconds: Int64? {
    switch self {
    case .sliding(let length, _), .tumbling(let length): length
    case .session(let gap): gap
    case .lifetime, .lastEvents: nil
    }
  }
}
