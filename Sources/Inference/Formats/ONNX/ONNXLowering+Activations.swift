internal import Core

// What PyTorch's layers are exported as beside matrices: said in steps that there are already.
extension ONNXLowering {
  /// At inference a product and a sum for each column.
  mutating func batchNormalization(_ node: ONNXNode) throws(HeadraceError) -> Int {
    let input = try row(node)
    let width = widths[input]
    guard node.integer("training_mode", default: 0) == 0 else {
      throw node.unsupported("training_mode", remedy: "export the model after eval()")
    }
    var columns: [[Double]] = []
    for index in 1...4 {
      let values = try constant(node, index).values
      guard values.count == width else { throw node.invalid("\(values.count) values for rows of \(width)") }
      columns.append(values)
    }
    let epsilon = Double(node.float("epsilon", default: 1e-5))
    var (scale, offset): ([Float], [Float]) = ([], [])
    for column in 0..<width {
      let variance = columns[3][column] + epsilon
      guard variance > 0 else { throw node.invalid("the variance of column \(column) is not above 0") }
      let factor = columns[0][column] / variance.squareRoot()
      scale.append(Float(factor))
      offset.append(Float(columns[1][column] - columns[2][column] * factor))
    }
    return append(.affine(scale: scale, offset: offset, offsetFirst: false), [input], width: width)
  }

  /// Over the columns of a row, then a product and a sum for each.
  mutating func layerNormalization(_ node: ONNXNode) throws(HeadraceError) -> Int {
    let input = try row(node)
    let width = widths[input]
    guard [-1, 1].contains(node.integer("axis", default: -1)) else {
      throw node.unsupported("axis", remedy: "use axis 1")
    }
    let epsilon = node.float("epsilon", default: 1e-5)
    guard epsilon >= 0, epsilon.isFinite else { throw node.invalid("an epsilon of \(epsilon)") }
    let scale = try constant(node, 1).values.map { Float($0) }
    let offset = try optionalConstant(node, 2)?.values.map { Float($0) } ?? [Float](repeating: 0, count: width)
    guard scale.count == width, offset.count == width else {
      throw node.invalid("\(scale.count) and \(offset.count) values for rows of \(width)")
    }
    let standard = append(.standardize(epsilon: epsilon), [input], width: width)
    return append(.affine(scale: scale, offset: offset, offsetFirst: false), [standard], width: width)
  }

  /// One operator since version 20; before that exporters write it with Erf.
  mutating func gelu(_ node: ONNXNode) throws(HeadraceError) -> Int {
    let input = try row(node)
    let functions: [String: RowProgram.Unary] = ["none": .gelu, "tanh": .geluByTanh]
    guard let function = functions[node.text("approximate", default: "none")] else {
      throw node.unsupported("approximate", remedy: "known here: none, tanh")
    }
    return append(.unary(function), [input], width: widths[input])
  }

  /// Its bounds are inputs, and were attributes before version 11; what is missing is no bound.
  mutating func clip(_ node: ONNXNode) throws(HeadraceError) -> Int {
    let input = try row(node)
    var bounds = [
      node.float("min", default: -.greatestFiniteMagnitude), node.float("max", default: .greatestFiniteMagnitude),
    ]
    for index in bounds.indices {
      guard let tensor = try optionalConstant(node, index + 1) else { continue }
      guard let bound = tensor.values.first, tensor.values.count == 1, !bound.isNaN else {
        throw node.invalid("a bound of the shape \(tensor.dimensions)")
      }
      bounds[index] = Float(bound)
    }
    return append(.clip(lower: bounds[0], upper: bounds[1]), [input], width: widths[input])
  }

  /// What is below zero is multiplied: max(x, 0) - alpha max(-x, 0).
  mutating func leakyRelu(_ node: ONNXNode) throws(HeadraceError) -> Int {
    let input = try row(node)
    let width = widths[input]
    let below = affine(belowZero(input), scale: -node.float("alpha", default: 0.01), offset: 0)
    return append(.binary(.add), [append(.unary(.relu), [input], width: width), below], width: width)
  }

  /// What is below zero becomes alpha (exp(x) - 1); at zero and above that term is exactly 0.
  mutating func elu(_ node: ONNXNode) throws(HeadraceError) -> Int {
    let input = try row(node)
    let width = widths[input]
    let alpha = node.float("alpha", default: 1)
    let negative = append(.unary(.negate), [belowZero(input)], width: width)
    let power = append(.unary(.exponential), [negative], width: width)
    let below = affine(power, scale: alpha, offset: -alpha)
    return append(.binary(.add), [append(.unary(.relu), [input], width: width), below], width: width)
  }

  /// max(-x, 0).
  private mutating func belowZero(_ input: Int) -> Int {
    let width = widths[input]
    return append(.unary(.relu), [append(.unary(.negate), [input], width: width)], width: width)
  }

  private mutating func affine(_ input: Int, scale: Float, offset: Float) -> Int {
    let width = widths[input]
    return append(
      .affine(
        scale: [Float](repeating: scale, count: width), offset: [Float](repeating: offset, count: width),
        offsetFirst: false), [input], width: width)
  }
}
