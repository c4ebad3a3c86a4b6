internal import Core

/// Turns a graph into a program. Only what the scores need is looked at: labels, and what makes them, are left out.
struct ONNXLowering {
  /// What a name of the graph stands for.
  enum Meaning {
    /// A value of the program.
    case row(Int)
    case constant(ONNXTensor)
  }

  let graph: ONNXGraph
  private(set) var widths: [Int] = [0]
  /// Of all values together.
  private var columnCount = 0
  var steps: [RowProgram.Step] = []
  private(set) var featureNames: [String] = []
  /// The operator that decides what the scores mean.
  private(set) var objective = "graph"
  private var meanings: [String: Meaning] = [:]
  private var useCounts: [String: Int] = [:]

  private static let float = 1
  private static let double = 11
  private static let labelTypes = [6, 7, 8, 9]

  init(_ graph: ONNXGraph) throws(HeadraceError) {
    self.graph = graph
    for (name, tensor) in graph.constants { meanings[name] = .constant(tensor) }
    try bindInputs()
  }

  /// The matrix is all inputs, side by side.
  private mutating func bindInputs() throws(HeadraceError) {
    guard !graph.inputs.isEmpty else { throw ModelFault.invalid("ONNX: a graph without inputs") }
    var columns: [(name: String, width: Int)] = []
    for input in graph.inputs {
      guard [Self.float, Self.double].contains(input.elementType) else {
        throw ModelFault.unsupported(
          "ONNX: the input \(input.name) of element type \(input.elementType)", place: "inputs",
          remedy: "export with float inputs")
      }
      guard input.dimensions.count == 2, let width = input.dimensions[1], width > 0, width <= ModelLimit.featuresMax
      else {
        throw ModelFault.unsupported(
          "ONNX: the input \(input.name) has the shape \(input.dimensions.map { $0.map(String.init) ?? "?" })",
          place: "inputs", remedy: "export with the input shape [None, number of features]")
      }
      columns.append((input.name, width))
    }
    widths[0] = columns.reduce(0) { $0 + $1.width }
    guard columns.count > 1 else {
      meanings[columns[0].name] = .row(0)
      return
    }
    guard widths[0] <= ModelLimit.featuresMax else { throw ModelFault.tooLarge("\(widths[0]) features") }
    if columns.allSatisfy({ $0.width == 1 }) { featureNames = columns.map(\.name) }
    var start = 0
    for (name, width) in columns {
      meanings[name] = .row(append(.select(Array(start..<start + width)), [0], width: width))
      start += width
    }
  }

  mutating func program() throws(HeadraceError) -> RowProgram {
    let isScore = graph.outputs.filter { !Self.labelTypes.contains($0.elementType) }
    guard let output = isScore.last ?? graph.outputs.last else {
      throw ModelFault.invalid("ONNX: a graph without outputs")
    }
    for node in try neededNodes(for: output.name) {
      for (name, meaning) in try lower(node) { meanings[name] = meaning }
      guard columnCount <= ModelLimit.programColumnsMax else {
        throw ModelFault.tooLarge("more than \(ModelLimit.programColumnsMax) columns", place: node.place)
      }
    }
    guard case .row(let result)? = meanings[output.name] else {
      throw ModelFault.invalid("ONNX: the output \(output.name) does not depend on the features")
    }
    return RowProgram(widths: widths, steps: steps, result: result)
  }

  /// In the order of the file, which the format demands to be one in which inputs come first.
  private mutating func neededNodes(for output: String) throws(HeadraceError) -> [ONNXNode] {
    var makers: [String: Int] = [:]
    for (index, node) in graph.nodes.enumerated() { for name in node.outputs { makers[name] = index } }
    var isNeeded = [Bool](repeating: false, count: graph.nodes.count)
    var open = [output]
    while let name = open.popLast() {
      useCounts[name, default: 0] += 1
      guard let maker = makers[name], !isNeeded[maker] else { continue }
      isNeeded[maker] = true
      open += graph.nodes[maker].inputs.filter { !$0.isEmpty }
    }
    return graph.nodes.indices.filter { isNeeded[$0] }.map { graph.nodes[$0] }
  }

  // MARK: For the operators

  mutating func append(_ operation: RowProgram.Operation, _ inputs: [Int], width: Int) -> Int {
    widths.append(width)
    columnCount += width
    steps.append(.init(operation: operation, inputs: inputs, output: widths.count - 1))
    return widths.count - 1
  }

  mutating func name(objective: String) { self.objective = objective }

  func meaning(_ node: ONNXNode, _ index: Int) throws(HeadraceError) -> Meaning {
    guard index < node.inputs.count, !node.inputs[index].isEmpty else {
      throw node.invalid("input \(index) is missing")
    }
    guard let meaning = meanings[node.inputs[index]] else {
      throw node.invalid("the input \(node.inputs[index]) is made by nobody before it is used")
    }
    return meaning
  }

  func optionalConstant(_ node: ONNXNode, _ index: Int) throws(HeadraceError) -> ONNXTensor? {
    guard index < node.inputs.count, !node.inputs[index].isEmpty else { return nil }
    return try constant(node, index)
  }

  func row(_ node: ONNXNode, _ index: Int = 0) throws(HeadraceError) -> Int {
    guard case .row(let value) = try meaning(node, index) else {
      throw node.unsupported("input \(index) is a constant", remedy: "let the exporter fold constants")
    }
    return value
  }

  func constant(_ node: ONNXNode, _ index: Int) throws(HeadraceError) -> ONNXTensor {
    guard case .constant(let tensor) = try meaning(node, index) else {
      throw node.unsupported("input \(index) is no constant", remedy: "only constant weights are scored")
    }
    return tensor
  }

  /// The step that made this value, when nobody else reads it: what follows can be folded into it.
  func soleStep(of value: Int, _ node: ONNXNode, _ index: Int) -> Int? {
    guard useCounts[node.inputs[index]] == 1, let last = steps.indices.last, steps[last].output == value else {
      return nil
    }
    return last
  }
}
