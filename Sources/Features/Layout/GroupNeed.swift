internal import Columns

/// A slot that a function asks for.
struct SlotNeed: Hashable {
  var kind: SlotKind
  var representation: Representation
  var parameter: Int64 = 0

  /// What a function keeps for an argument of a type; empty when the count is enough.
  static func all(of function: AggregateFunction, argument: ColumnType?) -> [SlotNeed] {
    guard let argument else { return [] }
    let representation = Representation(argument)
    switch function {
    case .count, .rate: return []
    case .sum, .mean: return [sum(representation)]
    case .variance, .standardDeviation:
      // A decimal's square does not fit a decimal: its moments are those of the nearest double.
      let isInteger = representation == .integer
      return isInteger
        ? [sum(.integer), .init(kind: .squaresInteger, representation: .integer)]
        : [sum(.double), .init(kind: .squaresDouble, representation: .double)]
    case .minimum: return [.init(kind: minimum(representation), representation: representation)]
    case .maximum: return [.init(kind: maximum(representation), representation: representation)]
    case .first: return [.init(kind: first(representation), representation: representation)]
    case .last: return [.init(kind: last(representation), representation: representation)]
    case .lastK(let count): return [.init(kind: .lastK, representation: representation, parameter: Int64(count))]
    case .countDistinct: return [.init(kind: .distinct, representation: representation)]
    case .percentile: return [.init(kind: .quantiles, representation: .double)]
    case .topK: return [.init(kind: .frequencies, representation: representation)]
    case .ewma(let halfLife): return [.init(kind: .decayed, representation: .double, parameter: halfLife)]
    }
  }

  /// Whether a slot of a layout holds what is asked for: a longer list also holds a shorter one.
  func isServed(by slot: SlotNeed) -> Bool {
    guard kind == slot.kind, representation == slot.representation else { return false }
    return kind == .lastK ? slot.parameter >= parameter : slot.parameter == parameter
  }

  private static func sum(_ representation: Representation) -> SlotNeed {
    switch representation {
    case .integer, .text: .init(kind: .sumInteger, representation: .integer)
    case .double: .init(kind: .sumDouble, representation: .double)
    case .decimal: .init(kind: .sumDecimal, representation: .decimal)
    }
  }

  private static func minimum(_ representation: Representation) -> SlotKind {
    switch representation {
    case .integer: .minimumInteger
    case .double: .minimumDouble
    case .decimal: .minimumDecimal
    case .text: .minimumText
    }
  }

  private static func maximum(_ representation: Representation) -> SlotKind {
    switch representation {
    case .integer: .maximumInteger
    case .double: .maximumDouble
    case .decimal: .maximumDecimal
    case .text: .maximumText
    }
  }

  private static func first(_ representation: Representation) -> SlotKind {
    switch representation {
    case .integer, .double: .firstWord
    case .decimal: .firstDecimal
    case .text: .firstText
    }
  }

  private static func last(_ representation: Representation) -> SlotKind {
    switch representation {
    case .integer, .double: .lastWord
    case .decimal: .lastDecimal
    case .text: .lastText
    }
  }
}

/// A group that the features of a region ask for.
struct GroupNeed {
  var argument: Int?
  var filter: Int?
  private(set) var slots: [SlotNeed] = []

  /// The groups of some features, in an order that does not depend on how they are written.
  static func all(of features: [FeatureDefinition], _ definition: ViewDefinition) -> [GroupNeed] {
    var groups: [GroupNeed] = []
    for feature in features {
      let position = groups.firstIndex { $0.argument == feature.argument && $0.filter == feature.filter }
      if position == nil { groups.append(.init(argument: feature.argument, filter: feature.filter)) }
      let type = feature.argument.map { definition.inputs[$0].type }
      for need in SlotNeed.all(of: feature.function, argument: type) { groups[position ?? groups.count - 1].add(need) }
    }
    return groups.sorted { $0.canonicalText(definition) < $1.canonicalText(definition) }
  }

  private mutating func add(_ need: SlotNeed) {
    guard !slots.contains(where: { need.isServed(by: $0) }) else { return }
    slots.removeAll { $0.isServed(by: need) }
    slots.append(need)
    slots.sort {
      ($0.kind.rawValue, $0.representation, $0.parameter) < ($1.kind.rawValue, $1.representation, $1.parameter)
    }
  }

  func canonicalText(_ definition: ViewDefinition) -> String {
    let inputs = [argument, filter].map { position in
      position.map { "\(definition.inputs[$0].canonicalText): \(definition.inputs[$0].type)" } ?? ""
    }
    let kept = slots.map { "\($0.kind) \($0.parameter)" }.joined(separator: ", ")
    return "\(inputs[0]) where \(inputs[1]) keeps \(kept)"
  }
}

extension Representation {
  init(_ type: ColumnType) {
    switch type.storage {
    case .integers: self = .integer
    case .doubles: self = .double
    case .text: self = .text
    case .decimals: self = .decimal
    }
  }
}

extension SlotKind {
  /// Whether a slot of this kind may refer to a block.
  var mayHaveBlock: Bool {
    switch self {
    case .sumInteger, .minimumInteger, .minimumDouble, .minimumDecimal, .maximumInteger, .maximumDouble,
      .maximumDecimal, .firstWord, .firstDecimal, .lastWord, .lastDecimal:
      false
    default: true
    }
  }
}

extension SlotKind {
  /// The form of the exact sums in a slot of this kind.
  var limbFormat: LimbFormat? {
    switch self {
    case .sumDouble, .decayed: .sum
    case .sumDecimal: .decimalSum
    case .squaresInteger, .squaresDouble: .squares
    default: nil
    }
  }
}
