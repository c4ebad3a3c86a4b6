internal import Columns

extension Function {
  static let hashes: [Function] = [
    Function("hash(x, …)", 1...100) { typer, call throws(ExpressionError) in typer.hash(call.arguments, at: call.place)
    },
    Function("hash_bucket(x, buckets)", 2...2) { typer, call throws(ExpressionError) in
      let buckets = try typer.integer(call.arguments[1], for: call)
      let hash = typer.hash([call.arguments[0]], at: call.place)
      return .operation(.hashBucket, [hash, buckets], type: .integer, at: call.place)
    },
  ]
}

extension Typer {
  fileprivate func hash(_ nodes: [TypedNode], at place: SourcePlace) -> TypedNode {
    let operands = nodes.map { $0.type == nil ? .constant(.null, .boolean, at: $0.place) : $0 }
    return .operation(.hash(operands.compactMap(\.type)), operands, type: .integer, at: place)
  }
}
