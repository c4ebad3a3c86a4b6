internal import Columns

extension Function {
  static let mathematics: [Function] =
    [
      Function("abs(x)", 1...1) { typer, call throws(ExpressionError) in
        let value = try typer.number(call.arguments[0], for: call.name)
        return .operation(.absolute(Typer.kind(of: value)), [value], type: value.type ?? .double, at: call.place)
      },
      Function("sign(x)", 1...1) { typer, call throws(ExpressionError) in
        let value = try typer.number(call.arguments[0], for: call.name)
        return .operation(.sign(Typer.kind(of: value)), [value], type: .integer, at: call.place)
      },
      Function("round(x[, places])", 1...2) { typer, call throws(ExpressionError) in
        let places =
          call.arguments.count == 1
          ? 0 : Int(try typer.literalInteger(call.arguments[1], in: -18...18, "the number of places"))
        let value = try typer.number(call.arguments[0], for: call.name)
        if value.type == .integer, places >= 0 { return value }
        let double = typer.convert(value, to: .double)
        return .operation(.round(places: places), [double], type: .double, at: call.place)
      },
      Function("pi()", 0...0) { _, call throws(ExpressionError) in .constant(.double(.pi), .double, at: call.place) },
      Function("is_nan(x)", 1...1) { typer, call throws(ExpressionError) in
        .operation(.isNaN, [try typer.double(call.arguments[0], for: call)], type: .boolean, at: call.place)
      },
      Function("haversine_km(lat1, lon1, lat2, lon2)", 4...4) { typer, call throws(ExpressionError) in
        var degrees: [TypedNode] = []
        for argument in call.arguments { degrees.append(try typer.double(argument, for: call)) }
        return .operation(.haversine, degrees, type: .double, at: call.place)
      },
      Function("bucket(x, width)", 2...2) { typer, call throws(ExpressionError) in
        let value = try typer.number(call.arguments[0], for: call.name)
        let width = try typer.number(call.arguments[1], for: call.name)
        let type: ColumnType = value.type == .integer && width.type == .integer ? .integer : .double
        let operands = [typer.convert(value, to: type), typer.convert(width, to: type)]
        return .operation(.bucket(type == .integer ? .integer : .double), operands, type: type, at: call.place)
      },
    ] + MathFunction.allCases.map(of) + BinaryMathFunction.allCases.map(of)

  private static func of(_ function: MathFunction) -> Function {
    Function("\(function.rawValue)(x)", 1...1) { typer, call throws(ExpressionError) in
      let value = try typer.number(call.arguments[0], for: call.name)
      if value.type == .integer, function == .floor || function == .ceil { return value }
      return .operation(.math(function), [typer.convert(value, to: .double)], type: .double, at: call.place)
    }
  }

  private static func of(_ function: BinaryMathFunction) -> Function {
    Function("\(function.rawValue)(\(function == .power ? "x, y" : "y, x"))", 2...2) {
      typer, call throws(ExpressionError) in
      let operands = [
        try typer.double(call.arguments[0], for: call), try typer.double(call.arguments[1], for: call),
      ]
      return .operation(.binaryMath(function), operands, type: .double, at: call.place)
    }
  }
}

/// Of a double. Where the result would be infinite or NaN it is null.
enum MathFunction: String, Hashable, Sendable, CaseIterable {
  case floor, ceil, sqrt, exp, ln, log10, log2, sin, cos, tan, asin, acos, atan, radians, degrees
}

enum BinaryMathFunction: String, Hashable, Sendable, CaseIterable { case power, atan2 }
