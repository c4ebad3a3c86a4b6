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
