package import Columns

/// A field that an expression may read.
package struct ExpressionField: Sendable, Hashable {
  /// As expressions write it: plain (`amount`), dotted (`device.os`) or qualified (`view:feature`, `request:amount`).
  package var name: String
  package var type: ColumnType

  package init(name: String, type: ColumnType) {
    self.name = name
    self.type = type
  }
}

/// An expression whose grammar is right. Whether its names and types are, is known with a scope.
///
/// The language is SQL's scalar one:
///
/// - **Fields** `amount`, `device.os`, `view:feature`, `"any other name"`. Words and functions in any case, fields as
///   they are written.
/// - **Literals** `12`, `1.5`, `1e-3`, `'it''s'`, `x'00ff'`, `true`, `null`, `date '2026-01-31'`,
///   `timestamp '2026-01-31T12:00:00Z'`, `decimal '1.50'`, and durations, which are milliseconds: `30m`.
/// - **Null** in, null out, but for `is [not] null`, `coalesce`, `nullif`, `case`, `if`, and the three-valued `and`,
///   `or`, `in`. A fault is null, too: division by zero, an integer or decimal that overflows, a cast that fails, and
///   every result of doubles that would be NaN or infinite.
/// - **Integers** are converted to the nearest double (ties to even) where they meet one, also in comparisons, and for
///   `/`. `//` and `%` round towards zero, as does `cast(x as integer)`.
/// - **Decimals** are exact in `+ - *`, comparisons and choices, with each other and with integers and literals; beside
///   a double, in `/` and in functions they become the nearest double.
/// - **NaN**, where a contract lets it in, equals itself and is greater than everything else; `0.0` equals `-0.0`.
/// - **Texts** compare by their UTF-8 bytes; positions and lengths count Unicode scalars from 1.
/// - **Times**: `ts - ts` is milliseconds, `ts + 30m` a timestamp; functions take a tz database zone or `+02:00`.
package struct ParsedExpression: Sendable {
  let root: SyntaxNode
  /// Every field that the expression reads, in the order of the text, with its UTF-8 offset; one that is read twice is
  /// there twice.
  package let names: [(name: String, offset: Int)]

  /// Reads a whole text.
  package init(_ text: String) throws(ExpressionError) {
    var parser = try Parser(text, from: 0)
    root = try parser.expression()
    names = parser.names
    guard parser.token.kind == .end else { throw parser.afterTheEnd(expected: "an operator or the end") }
  }

  private init(root: SyntaxNode, names: [(name: String, offset: Int)]) {
    self.root = root
    self.names = names
  }

  /// Reads one expression out of a larger text: it ends before `over`, `where`, a comma, a closing parenthesis or the
  /// end of the text, outside of parentheses.
  ///
  /// - Returns: the expression, and the UTF-8 offset of what follows it. Places in errors, and `names`, count from the
  ///   beginning of `text`.
  package static func prefix(of text: String, from utf8Offset: Int) throws(ExpressionError) -> (
    ParsedExpression, end: Int
  ) {
    var parser = try Parser(text, from: utf8Offset)
    let root = try parser.expression()
    switch (parser.token.kind, parser.token.word) {
    case (.end, _), (.symbol(.comma), _), (.symbol(.close), _), (_, .over), (_, .where): break
    default: throw parser.afterTheEnd(expected: "an operator, over, where, ',' or ')'")
    }
    return (ParsedExpression(root: root, names: parser.names), parser.token.place.offset)
  }

  /// Resolves names and types against the columns of a batch, in their order.
  package func typed(in scope: [ExpressionField]) throws(ExpressionError) -> Expression {
    var typer = Typer(scope)
    return Expression(try typer.root(root))
  }
}

extension Parser {
  fileprivate func afterTheEnd(expected: String) -> ExpressionError {
    let remedy: String? =
      switch token.kind {
      case .name, .quotedName, .string: "an operator is missing before it"
      default: nil
      }
    return ExpressionError(
      "the expression was over before this", at: token.place, found: token.found, expected: expected, remedy: remedy)
  }
}
