package import Columns
package import Core

/// Rows that are read column by column: what is not needed is not decoded. Pieces are in the order of the rows, and
/// several threads may read at once.
package protocol ColumnSource: Sendable {
  /// For messages.
  var place: String { get }
  var fields: [(name: String, type: ColumnType)] { get }
  var pieceCount: Int { get }

  /// Hands over columns of one piece, batch by batch.
  func forEachBatch(
    of piece: Int, columns: [String], _ body: (borrowing ColumnBatch) throws(HeadraceError) -> Void
  ) throws(HeadraceError)
}

extension ColumnSource {
  /// - Throws: JOIN_COLUMN when there is none of the name.
  func type(of name: String) throws(HeadraceError) -> ColumnType {
    guard let field = fields.first(where: { $0.name == name }) else {
      throw HeadraceError(
        .user, "JOIN_COLUMN", "there is no column \"\(name)\"", place: place,
        remedy: "there are \(fields.map(\.name).joined(separator: ", "))")
    }
    return field.type
  }
}
