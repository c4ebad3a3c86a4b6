internal import Core

extension ONNXLowering {
  mutating func linearRegressor(_ node: ONNXNode) throws(HeadraceError) -> Int {
    let targets = node.integer("targets", default: 1)
    let scores = try linear(node, outputs: targets)
    return try transformed(node, scores, node.text("post_transform", default: "NONE"))
  }

  mutating func linearClassifier(_ node: ONNXNode) throws(HeadraceError) -> Int {
    let labels = max(
      node.attribute("classlabels_ints")?.integers.count ?? 0, node.attribute("classlabels_strings")?.texts.count ?? 0)
    let bias = node.floats("intercepts")
    let width = widths[try row(node)]
    let outputs = bias.isEmpty ? node.floats("coefficients").count / max(width, 1) : bias.count
    let scores = try linear(node, outputs: outputs)
    let transform = node.text("post_transform", default: "NONE")
    guard outputs == 1, labels == 2 else { return try transformed(node, scores, transform) }
    // One row of weights for two classes.
    let second = try transformed(node, scores, transform)
    let isProbability = transform == "LOGISTIC"
    let first = append(
      .affine(scale: [-1], offset: [isProbability ? 1 : 0], offsetFirst: false), [second], width: 1)
    return append(.concatenate, [first, second], width: 2)
  }

  private mutating func linear(_ node: ONNXNode, outputs: Int) throws(HeadraceError) -> Int {
    let input = try row(node)
    let width = widths[input]
    let coefficients = node.floats("coefficients")
    let bias = node.floats("intercepts")
    guard outputs > 0, outputs <= ModelLimit.outputsMax, coefficients.count == outputs * width,
      bias.isEmpty || bias.count == outputs
    else {
      throw node.invalid("\(coefficients.count) coefficients and \(bias.count) intercepts, \(width) features")
    }
    var layer = DenseLayer(
      inputCount: width, outputCount: outputs, weights: [Float](repeating: 0, count: coefficients.count),
      bias: bias.isEmpty ? [Float](repeating: 0, count: outputs) : bias)
    for output in 0..<outputs {
      for index in 0..<width { layer.weights[index * outputs + output] = coefficients[output * width + index] }
    }
    return append(.dense(layer), [input], width: outputs)
  }

  private mutating func transformed(
    _ node: ONNXNode, _ input: Int, _ transform: String
  ) throws(HeadraceError) -> Int {
    switch transform {
    case "NONE": return input
    case "LOGISTIC": return append(.unary(.sigmoid), [input], width: widths[input])
    case "SOFTMAX": return append(.softmax, [input], width: widths[input])
    default:
      throw node.unsupported("post_transform \(transform)", remedy: "known here: NONE, LOGISTIC, SOFTMAX")
    }
  }
}
