internal import Core

extension ONNXLowering {
  static let supported = """
    LinearClassifier, LinearRegressor, TreeEnsemble, TreeEnsembleClassifier, TreeEnsembleRegressor, Scaler, Imputer, \
    Normalizer, Binarizer, FeatureVectorizer, ZipMap, Gemm, MatMul, Add, Sub, Mul, Div, BatchNormalization, \
    LayerNormalization, Relu, LeakyRelu, Elu, Gelu, Clip, Erf, Sigmoid, Tanh, Exp, Log, Neg, Abs, Sqrt, Softmax, \
    LogSoftmax, Concat, Gather, ArrayFeatureExtractor, ArgMax, Cast, Identity, Dropout, Reshape, Flatten, Squeeze, \
    Unsqueeze, Constant
    """

  /// What a node's outputs stand for; the label of a classifier for nothing.
  mutating func lower(_ node: ONNXNode) throws(HeadraceError) -> [(String, Meaning)] {
    guard let first = node.outputs.first else { throw node.invalid("no outputs") }
    switch node.kind {
    case "LinearClassifier", "TreeEnsembleClassifier":
      guard node.outputs.count > 1 else { throw node.invalid("a classifier with one output") }
      name(objective: node.kind)
      let scores = try node.kind == "LinearClassifier" ? linearClassifier(node) : treeClassifier(node)
      return [(node.outputs[1], .row(scores))]
    case "Constant": return [(first, .constant(try constantOfNode(node)))]
    case "Identity", "Dropout", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "ZipMap":
      return [(first, try sameNumbers(node))]
    default: return [(first, .row(try value(node)))]
    }
  }

  /// An operator with one row as its output.
  private mutating func value(_ node: ONNXNode) throws(HeadraceError) -> Int {
    switch node.kind {
    case "LinearRegressor":
      name(objective: node.kind)
      return try linearRegressor(node)
    case "TreeEnsembleRegressor", "TreeEnsemble":
      name(objective: node.kind)
      return try treeRegressor(node)
    case "Gemm", "MatMul": return try dense(node)
    case "Add", "Sub", "Mul", "Div": return try arithmetic(node)
    case "Relu":
      let input = try row(node)
      if let step = soleStep(of: input, node, 0), case .dense(var layer) = steps[step].operation, !layer.isRectified {
        layer.isRectified = true
        steps[step].operation = .dense(layer)
        return input
      }
      return append(.unary(.relu), [input], width: widths[input])
    case "Softmax", "LogSoftmax":
      let input = try row(node)
      guard [-1, 1].contains(node.integer("axis", default: -1)) else {
        throw node.unsupported("axis", remedy: "use axis 1")
      }
      return append(node.kind == "Softmax" ? .softmax : .logSoftmax, [input], width: widths[input])
    case "BatchNormalization": return try batchNormalization(node)
    case "LayerNormalization": return try layerNormalization(node)
    case "LeakyRelu": return try leakyRelu(node)
    case "Gelu": return try gelu(node)
    case "Clip": return try clip(node)
    case "Elu": return try elu(node)
    case "Concat", "FeatureVectorizer": return try concatenation(node)
    case "ArgMax": return append(.argumentOfMaximum, [try row(node)], width: 1)
    case "Gather", "ArrayFeatureExtractor": return try selection(node)
    case "Scaler", "Imputer", "Normalizer", "Binarizer": return try preprocessing(node)
    default:
      let functions: [String: RowProgram.Unary] = [
        "Sigmoid": .sigmoid, "Tanh": .tanh, "Exp": .exponential, "Log": .logarithm, "Neg": .negate, "Abs": .absolute,
        "Sqrt": .squareRoot, "Erf": .errorFunction,
      ]
      guard let function = functions[node.kind] else {
        throw node.unsupported("the operator \(node.kind.prefix(60))", remedy: "known: \(Self.supported)")
      }
      let input = try row(node)
      return append(.unary(function), [input], width: widths[input])
    }
  }

  private func constantOfNode(_ node: ONNXNode) throws(HeadraceError) -> ONNXTensor {
    guard let tensor = node.attribute("value")?.tensor else {
      throw node.unsupported("a constant that is no tensor", remedy: "let the exporter fold constants")
    }
    return tensor
  }

  /// Operators that change shape or type of a row, and not its numbers.
  private mutating func sameNumbers(_ node: ONNXNode) throws(HeadraceError) -> Meaning {
    let meaning = try meaning(node, 0)
    guard case .row(let input) = meaning else { return meaning }
    if node.kind == "Cast" {
      switch node.integer("to", default: 1) {
      case 1, 11: return meaning
      case 6, 7: return .row(append(.unary(.truncate), [input], width: widths[input]))
      default: throw node.unsupported("a cast to type \(node.integer("to", default: 1))", remedy: "cast to float")
      }
    }
    if node.kind == "Reshape" {
      let shape = try constant(node, 1).values.map(Int.init(saturating:))
      let isSame = shape.count == 2 && [-1, 0].contains(shape[0]) && [-1, widths[input]].contains(shape[1])
      guard isSame || (shape == [-1] && widths[input] == 1) else {
        throw node.unsupported("a reshape to \(shape)", remedy: "rows keep their width")
      }
    }
    return meaning
  }

  private mutating func dense(_ node: ONNXNode) throws(HeadraceError) -> Int {
    let input = try row(node)
    let matrix = try constant(node, 1)
    let isGemm = node.kind == "Gemm"
    let isTransposed = isGemm && node.integer("transB", default: 0) != 0
    guard matrix.dimensions.count == 2, !isGemm || node.integer("transA", default: 0) == 0 else {
      throw node.unsupported("a matrix of the shape \(matrix.dimensions)", remedy: "export x W + b")
    }
    let inputs = matrix.dimensions[isTransposed ? 1 : 0]
    let outputs = matrix.dimensions[isTransposed ? 0 : 1]
    guard inputs == widths[input], outputs > 0 else {
      throw node.invalid("a matrix of the shape \(matrix.dimensions) for rows of \(widths[input])")
    }
    let alpha = isGemm ? node.float("alpha", default: 1) : 1
    var layer = DenseLayer(
      inputCount: inputs, outputCount: outputs, weights: [Float](repeating: 0, count: inputs * outputs),
      bias: [Float](repeating: 0, count: outputs))
    for index in 0..<inputs {
      for output in 0..<outputs {
        let at = isTransposed ? output * inputs + index : index * outputs + output
        layer.weights[index * outputs + output] = Float(matrix.values[at]) * alpha
      }
    }
    if isGemm, let bias = try optionalConstant(node, 2) {
      let beta = node.float("beta", default: 1)
      layer.bias = try columns(bias, width: outputs, node).map { $0 * beta }
    }
    return append(.dense(layer), [input], width: outputs)
  }

  /// A constant that counts for each column of a row.
  private func columns(_ tensor: ONNXTensor, width: Int, _ node: ONNXNode) throws(HeadraceError) -> [Float] {
    if tensor.values.count == 1 { return [Float](repeating: Float(tensor.values[0]), count: width) }
    guard tensor.values.count == width else {
      throw node.invalid("a constant of the shape \(tensor.dimensions) for rows of \(width)")
    }
    return tensor.values.map(Float.init)
  }

  private mutating func arithmetic(_ node: ONNXNode) throws(HeadraceError) -> Int {
    switch (try meaning(node, 0), try meaning(node, 1)) {
    case (.row(let left), .row(let right)):
      let operations: [String: RowProgram.Binary] = ["Add": .add, "Sub": .subtract, "Mul": .multiply, "Div": .divide]
      let (a, b) = (widths[left], widths[right])
      guard let operation = operations[node.kind], a == b || a == 1 || b == 1 else {
        throw node.invalid("rows of \(a) and \(b)")
      }
      return append(.binary(operation), [left, right], width: max(a, b))
    case (.row(let input), .constant(let tensor)): return try affine(node, input, tensor, isReversed: false)
    case (.constant(let tensor), .row(let input)): return try affine(node, input, tensor, isReversed: true)
    case (.constant, .constant): throw node.unsupported("two constants", remedy: "let the exporter fold constants")
    }
  }

  private mutating func affine(
    _ node: ONNXNode, _ input: Int, _ tensor: ONNXTensor, isReversed: Bool
  ) throws(HeadraceError) -> Int {
    let width = widths[input]
    guard width > 1 || tensor.values.count == 1 else {
      throw node.unsupported("a row of 1 with a constant of \(tensor.values.count)", remedy: "export rows of one width")
    }
    let values = try columns(tensor, width: width, node)
    let ones = [Float](repeating: 1, count: width)
    let zeros = [Float](repeating: 0, count: width)
    switch node.kind {
    case "Add":
      if let step = soleStep(of: input, node, isReversed ? 1 : 0), case .dense(var layer) = steps[step].operation,
        !layer.isRectified, layer.bias.allSatisfy({ $0 == 0 })
      {
        layer.bias = values
        steps[step].operation = .dense(layer)
        return input
      }
      return append(.affine(scale: ones, offset: values, offsetFirst: false), [input], width: width)
    case "Sub":
      let scale = isReversed ? ones.map { -$0 } : ones
      let offset = isReversed ? values : values.map { -$0 }
      return append(.affine(scale: scale, offset: offset, offsetFirst: false), [input], width: width)
    case "Mul": return append(.affine(scale: values, offset: zeros, offsetFirst: false), [input], width: width)
    default:
      guard !isReversed else { throw node.unsupported("a constant divided by a row", remedy: "export a product") }
      return append(.affine(scale: values.map { 1 / $0 }, offset: zeros, offsetFirst: false), [input], width: width)
    }
  }

  private mutating func concatenation(_ node: ONNXNode) throws(HeadraceError) -> Int {
    guard node.kind != "Concat" || [-1, 1].contains(node.integer("axis", default: 1)), !node.inputs.isEmpty else {
      throw node.unsupported("a concatenation of rows", remedy: "use axis 1")
    }
    var inputs: [Int] = []
    for index in node.inputs.indices { inputs.append(try row(node, index)) }
    let width = inputs.reduce(0) { $0 + widths[$1] }
    guard width <= ModelLimit.featuresMax else { throw ModelFault.tooLarge("a row of \(width)", place: node.place) }
    return append(.concatenate, inputs, width: width)
  }

  private mutating func selection(_ node: ONNXNode) throws(HeadraceError) -> Int {
    let input = try row(node)
    let indexes = try constant(node, 1).values.map(Int.init(saturating:))
    guard node.kind != "Gather" || [-1, 1].contains(node.integer("axis", default: 0)) else {
      throw node.unsupported("a choice of rows", remedy: "use axis 1")
    }
    let columns = indexes.map { $0 < 0 ? $0 &+ widths[input] : $0 }
    guard !columns.isEmpty, columns.allSatisfy({ $0 >= 0 && $0 < widths[input] }) else {
      throw node.invalid("columns \(indexes.prefix(8)) of rows of \(widths[input])")
    }
    return append(.select(columns), [input], width: columns.count)
  }

  private mutating func preprocessing(_ node: ONNXNode) throws(HeadraceError) -> Int {
    let input = try row(node)
    let width = widths[input]
    func each(_ name: String, default fallback: Float) throws(HeadraceError) -> [Float] {
      let values = node.floats(name)
      if values.count == width { return values }
      guard values.count <= 1 else { throw node.invalid("\(values.count) values of \(name) for rows of \(width)") }
      return [Float](repeating: values.first ?? fallback, count: width)
    }
    switch node.kind {
    case "Scaler":
      let offset = try each("offset", default: 0).map { -$0 }
      return append(
        .affine(scale: try each("scale", default: 1), offset: offset, offsetFirst: true), [input], width: width)
    case "Imputer":
      let replaced = node.float("replaced_value_float", default: 0)
      return append(
        .impute(values: try each("imputed_value_floats", default: 0), replaced: replaced), [input], width: width)
    case "Normalizer":
      let norms: [String: RowProgram.Norm] = ["MAX": .maximum, "L1": .absolute, "L2": .euclidean]
      guard let norm = norms[node.text("norm", default: "MAX")] else { throw node.invalid("an unknown norm") }
      return append(.normalize(norm), [input], width: width)
    default: return append(.binarize(threshold: node.float("threshold", default: 0)), [input], width: width)
    }
  }
}
