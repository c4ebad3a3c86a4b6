internal import Columns

extension Typer {
  mutating func concatenation(_ nodes: [TypedNode], at place: SourcePlace) throws(ExpressionError) -> TypedNode {
    throw mismatch(nodes[0], expected: "text")
  }
  mutating func membership(_ inner: SyntaxNode, _ list: [SyntaxNode], isNegated: Bool, at place: SourcePlace)
    throws(ExpressionError) -> TypedNode
  {
    let value = try type(inner)
    var found: TypedNode?
    for element in list {
      let equal = try comparison(.equal, value, try type(element), at: place)
      found = found.map { logical(.or, [$0, equal], at: place) } ?? equal
    }
    let result = found ?? .constant(.boolean(false), .boolean, at: place)
    return isNegated ? .operation(.not, [result], type: .boolean, at: place) : result
  }
  mutating func like(
    _ inner: SyntaxNode, _ pattern: SyntaxNode, escape: SyntaxNode?, isNegated: Bool, at place: SourcePlace
  ) throws(ExpressionError) -> TypedNode {
    throw mismatch(try type(inner), expected: "text")
  }
  mutating func call(
    _ name: String, _ namePlace: SourcePlace, _ arguments: [SyntaxNode], at place: SourcePlace
  ) throws(ExpressionError) -> TypedNode {
    throw ExpressionError("there is no function of this name", at: namePlace, found: "'\(name)'")
  }
}
