internal import Columns
internal import Expressions
internal import Topology

/// Where a value of a model's vector comes from, by position; and what takes the place of a null.
struct VectorColumn {
  enum Origin: Equatable {
    /// A column of the stage's matrix of gathered features.
    case gathered(Int)
    /// A column of the event's scope.
    case event(Int)
    /// A position in the stage's computed features.
    case computed(Int)
  }

  var origin: Origin
  /// NaN: a null stays a missing value.
  var defaultValue: Double
}

/// An on-demand feature of the stage, or a derived one: computed over the whole batch at once.
struct ComputedFeature {
  let expression: Expression
  /// Which column of `batch` is taken from where.
  let inputs: [(column: Int, origin: VectorColumn.Origin)]
  /// It is part of its row: null where something that it is made of is not retained any more.
  let isOfOneRow: Bool
  /// Columns of the inputs; those of the event are lent for the time of a call.
  var batch: ColumnBatch
  var result: Column

  init(
    _ expression: Expression, inputs: [(column: Int, origin: VectorColumn.Origin)], types: [ColumnType],
    isOfOneRow: Bool = false
  ) {
    self.expression = expression
    self.inputs = inputs
    self.isOfOneRow = isOfOneRow
    batch = ColumnBatch(types)
    result = Column(expression.type)
  }
}

extension Column {
  /// A value as models take it; NaN of null and of what is no number.
  ///
  /// - Parameter scale: ten to the power of a decimal's scale.
  @inline(__always)
  func number(_ row: Int, scale: Double) -> Double {
    guard isValid[row] else { return .nan }
    switch type.storage {
    case .integers: return Double(integers[row])
    case .doubles: return doubles[row]
    case .decimals: return Double(decimals[row]) / scale
    case .text: return .nan
    }
  }

  /// Ten to the power of the scale of a decimal; 1 of everything else.
  var numberScale: Double {
    guard case .decimal(let scale) = type else { return 1 }
    return Double("1e\(scale)") ?? 1
  }

  /// Appends what a feature is as a number to a column of its type; NaN is null.
  mutating func append(number: Double) {
    guard !number.isNaN else { return appendNull() }
    if type.storage == .doubles { return append(number) }
    guard let integer = Int64(exactly: number) else { return appendNull() }
    append(integer)
  }

  /// The same values, with null in some rows.
  func with(nullIn isNull: (Int) -> Bool, rowCount: Int) -> Column {
    var column = Column(type)
    for row in 0..<rowCount {
      if isNull(row) || !column.append(value(row)) { column.appendNull() }
    }
    return column
  }
}
