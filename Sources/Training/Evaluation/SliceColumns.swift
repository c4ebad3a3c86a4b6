internal import Columns
internal import Core
internal import Expressions

/// Which slices each row of the test split is in.
struct SliceColumns {
  /// Values of a column that are slices of their own: the most frequent ones.
  static let valuesMax = 20
  /// Different values of a column that are counted at all.
  private static let distinctMax = 10_000
  private static let slicesMax = 64

  /// Columns of the dataset that are read.
  let columns: [String]
  private let expressions: [DatasetExpression]
  private let typed: [Expression]
  /// By slice definition: the value of each row as a number; -1: none.
  private var rows: [[Int32]]
  private var values: [[String: Int32]]

  /// - Throws: `SLICE_INVALID`.
  init(_ texts: [String], _ dataset: TrainingDataset) throws(HeadraceError) {
    guard texts.count <= Self.slicesMax else {
      throw HeadraceError(.user, "SLICE_INVALID", "\(texts.count) slices, at most \(Self.slicesMax)")
    }
    var expressions: [DatasetExpression] = []
    for text in texts {
      let expression = try DatasetExpression(text, scope: dataset.scope, code: "SLICE_INVALID", place: dataset.place)
      guard expression.type != .double else {
        throw HeadraceError(
          .user, "SLICE_INVALID", "`\(text)` is \(expression.type)", place: dataset.place,
          remedy: "write a condition such as \(text) > 1500, or a column of few values")
      }
      expressions.append(expression)
    }
    let columns = expressions.flatMap(\.names).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    let scope = dataset.scope(of: columns)
    var typed: [Expression] = []
    for expression in expressions { typed.append(try expression.over(scope)) }
    self.expressions = expressions
    self.columns = columns
    self.typed = typed
    rows = Array(repeating: [], count: texts.count)
    values = Array(repeating: [:], count: texts.count)
  }

  /// Takes the next rows; the batch has `columns`.
  mutating func append(_ batch: ColumnBatch) {
    for (index, expression) in typed.enumerated() {
      let column = expression.evaluate(batch)
      for row in 0..<batch.rowCount {
        guard let name = Self.name(column.value(row), of: expressions[index]) else {
          rows[index].append(-1)
          continue
        }
        if let known = values[index][name] {
          rows[index].append(known)
        } else if values[index].count < Self.distinctMax {
          let number = Int32(values[index].count)
          values[index][name] = number
          rows[index].append(number)
        } else {
          rows[index].append(-1)
        }
      }
    }
  }

  /// A condition has one slice: where it holds.
  private static func name(_ value: Value, of expression: DatasetExpression) -> String? {
    switch value {
    case .null: nil
    case .boolean(let flag):
      expression.names == [expression.text] ? "\(expression.text) = \(flag)" : flag ? expression.text : nil
    case .string(let text): "\(expression.text) = \(TrainerLines.printable(Array(text.utf8)).prefix(100))"
    case .integer(let number): "\(expression.text) = \(number)"
    default: "\(expression.text) = \(value)"
    }
  }

  /// The slices with their rows, the most frequent values of each definition, in an order that does not change.
  func slices() -> [(name: String, rows: [Int])] {
    var slices: [(name: String, rows: [Int])] = []
    for index in expressions.indices {
      var members: [Int32: [Int]] = [:]
      for (row, number) in rows[index].enumerated() where number >= 0 { members[number, default: []].append(row) }
      let frequent = values[index].compactMap { name, number in members[number].map { (name: name, rows: $0) } }
        .sorted { ($1.rows.count, $0.name) < ($0.rows.count, $1.name) }
        .prefix(Self.valuesMax)
      slices += frequent
    }
    return slices
  }
}
