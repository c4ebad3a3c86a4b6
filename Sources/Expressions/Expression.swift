package import Columns

/// A typed expression, ready to be evaluated over batches.
package struct Expression: Sendable {
  package let type: ColumnType
  /// A normal form: expressions of equal text compute the same from fields of the same names and types. Written out
  /// conversions, folded constants, `>` as `<`, operands of commutative operations in order. Feeds fingerprints.
  package let canonicalText: String
  /// Scope positions that it reads, ascending.
  package let inputs: [Int]
  /// The scope position, where the expression is a field and nothing else: its column can be read as it is.
  package let field: Int?
  /// The value, where the expression reads no field.
  package let constant: Value?

  private let program: Program

  init(_ root: TypedNode) {
    program = Program(root)
    type = program.type
    inputs = program.inputs.map(\.position)
    canonicalText = CanonicalText.of(root)
    if case .field(let position, _) = root.kind { field = position } else { field = nil }
    constant = root.constant
  }

  /// A value or null for each row. Faults (division by zero, overflow, a failed cast) are nulls.
  ///
  /// - Precondition: column k of the batch is field k of the scope; only those of `inputs` are looked at.
  package func evaluate(_ batch: borrowing ColumnBatch) -> Column {
    var column = Column(type)
    var scratch = ExpressionScratch()
    evaluate(batch, into: &column, scratch: &scratch)
    return column
  }

  /// As `evaluate(_:)`, into the buffers of `column`, which is overwritten.
  package func evaluate(
    _ batch: borrowing ColumnBatch, into column: inout Column, scratch: inout ExpressionScratch
  ) {
    program.evaluate(columns: batch.columns, rowCount: batch.rowCount, into: &column, scratch: &scratch)
  }
}
