internal import Columns

extension Function {
  static let conditional: [Function] = [
    Function("coalesce(x, …)", 1...100) { typer, call throws(ExpressionError) in
      guard let type = try typer.common(call.arguments) else { throw typer.allNull(call) }
      // What comes after a constant that is not null never counts.
      let values = call.arguments.map { typer.convert($0, to: type) }.filter { !$0.isNull }
      guard var result = values.last else { return .constant(.null, type, at: call.place) }
      for value in values.dropLast().reversed() {
        result = value.constant == nil ? .operation(.coalesce, [value, result], type: type, at: call.place) : value
      }
      return result
    },
    Function("nullif(x, y)", 2...2) { typer, call throws(ExpressionError) in
      let equal = try typer.comparison(.equal, call.arguments[0], call.arguments[1], at: call.place)
      guard call.arguments[0].type != nil else { throw typer.allNull(call) }
      return try typer.select([equal], [.constant(.null, nil, at: call.place), call.arguments[0]], at: call.place)
    },
    Function("if(condition, x, y)", 3...3) { typer, call throws(ExpressionError) in
      var condition = call.arguments[0]
      if condition.type == nil { condition = .constant(.null, .boolean, at: condition.place) }
      guard condition.type == .boolean else { throw typer.mismatch(condition, expected: "a boolean for if") }
      return try typer.select([condition], Array(call.arguments[1...]), at: call.place)
    },
    Function("least(x, …)", 1...100) { typer, call throws(ExpressionError) in
      try typer.extreme(call, isGreatest: false)
    },
    Function("greatest(x, …)", 1...100) { typer, call throws(ExpressionError) in
      try typer.extreme(call, isGreatest: true)
    },
  ]
}

extension Typer {
  fileprivate func allNull(_ call: Function.Call) -> ExpressionError {
    ExpressionError("every argument is null", at: call.place, remedy: "write cast(null as double)")
  }

  /// Null if one of the arguments is.
  fileprivate func extreme(_ call: Function.Call, isGreatest: Bool) throws(ExpressionError) -> TypedNode {
    guard let type = try common(call.arguments) else { throw allNull(call) }
    let values = call.arguments.map { convert($0, to: type) }
    guard var result = values.first else { throw allNull(call) }
    for value in values.dropFirst() {
      result = .operation(
        .extreme(isGreatest: isGreatest, type.storage), [result, value], type: type, at: call.place)
    }
    return result
  }
}
