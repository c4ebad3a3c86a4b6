internal import Columns
internal import Core
internal import Expressions
internal import OfflineStore

/// A column of a dataset, or an expression over its columns.
struct DatasetExpression: Sendable {
  let text: String
  let type: ColumnType
  /// Columns that it reads.
  let names: [String]
  private let parsed: ParsedExpression

  /// - Parameters:
  ///   - scope: all columns of the dataset.
  ///   - code: of the error.
  init(_ text: String, scope: [ExpressionField], code: String, place: String) throws(HeadraceError) {
    self.text = text
    // A name with a dot, a minus or a keyword in it is a column all the same.
    let isColumn = scope.contains { $0.name == text }
    let written = isColumn ? "\"\(text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\"" : text
    do throws(ExpressionError) {
      parsed = try ParsedExpression(written)
      type = try parsed.typed(in: scope).type
    } catch {
      throw HeadraceError(
        .user, code, "`\(text.prefix(200))`: \(error.message)", place: place,
        remedy: error.nearest.map { "did you mean `\($0)`?" }
          ?? "name a column, or write an expression over \(scope.prefix(40).map(\.name).joined(separator: ", "))")
    }
    names = parsed.names.reduce(into: []) { names, name in
      if !names.contains(name.name) { names.append(name.name) }
    }
  }

  /// For batches of these columns.
  func over(_ columns: [ExpressionField]) throws(HeadraceError) -> Expression {
    do throws(ExpressionError) {
      return try parsed.typed(in: columns)
    } catch {
      throw HeadraceError(.internal, "TRAINING_EXPRESSION", "`\(text.prefix(200))`: \(error.message)")
    }
  }
}
