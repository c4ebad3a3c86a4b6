internal import Core

/// A linear model in plain JSON, for those who write weights by hand or from another tool:
///
///     {"model": "linear", "features": ["amount", "age"], "weights": [0.5, -1], "intercept": 0.1, "link": "logistic"}
///
/// `weights` is one row, or a row for each output with as many intercepts; `link` is `identity` (default), `logistic`,
/// `softmax` or `exponential`. `missing`, when it is there, has for each feature the value that stands in for a missing
/// one; without it a row with a missing value has no score. Sums are float32.
enum LinearJSONModel {
  static func read(_ document: Document) throws(HeadraceError) -> Model {
    let root = DocumentNode(document)
    var names: [String] = []
    for name in try root.member("features")?.list() ?? [] { names.append(try name.text()) }
    let rows = try rows(try root.required("weights"))
    let inputCount = rows[0].count
    guard rows.allSatisfy({ $0.count == inputCount }), names.isEmpty || names.count == inputCount else {
      throw ModelFault.invalid("weights for \(rows.map(\.count)) features, \(names.count) names", place: "$.weights")
    }
    guard inputCount <= ModelLimit.featuresMax, rows.count <= ModelLimit.outputsMax else {
      throw ModelFault.tooLarge("\(inputCount) features, \(rows.count) outputs", place: "$.weights")
    }
    let bias = try intercepts(root, count: rows.count)
    var layer = DenseLayer(
      inputCount: inputCount, outputCount: rows.count,
      weights: [Float](repeating: 0, count: inputCount * rows.count), bias: bias)
    for (output, row) in rows.enumerated() {
      for (input, weight) in row.enumerated() {
        guard Float(weight).isFinite else { throw ModelFault.invalid("the weight \(weight)", place: "$.weights") }
        layer.weights[input * rows.count + output] = Float(weight)
      }
    }
    let link = try root.member("link")?.text() ?? "identity"
    var program = RowProgram(widths: [inputCount], steps: [], result: 0)
    if let values = try missing(root, count: inputCount) {
      program.append(.impute(values: values, replaced: .nan), width: inputCount)
    }
    program.append(.dense(layer), width: rows.count)
    if let operation = try operation(link) { program.append(operation, width: rows.count) }
    return Model(
      format: .linearJSON, objective: link, body: .program(program), featureCount: inputCount, featureNames: names,
      outputCount: rows.count)
  }

  private static func rows(_ node: DocumentNode) throws(HeadraceError) -> [[Double]] {
    if case .list(let items) = node.value {
      var rows: [[Double]] = []
      for (index, item) in items.enumerated() {
        rows.append(try DocumentNode(item, path: "\(node.path)[\(index)]").numbers())
      }
      if let first = rows.first, !first.isEmpty { return rows }
    }
    let row = try node.numbers()
    guard !row.isEmpty else { throw node.wrong("at least one weight") }
    return [row]
  }

  private static func intercepts(_ root: DocumentNode, count: Int) throws(HeadraceError) -> [Float] {
    guard let node = try root.member("intercept") else { return [Float](repeating: 0, count: count) }
    let numbers: [Double] = if case .number(let number) = node.value { [number] } else { try node.numbers() }
    guard numbers.count == count, numbers.allSatisfy({ Float($0).isFinite }) else {
      throw ModelFault.invalid("\(numbers.count) intercepts for \(count) outputs", place: node.path)
    }
    return numbers.map(Float.init)
  }

  private static func missing(_ root: DocumentNode, count: Int) throws(HeadraceError) -> [Float]? {
    guard let node = try root.member("missing") else { return nil }
    let values = try node.numbers().map(Float.init)
    guard values.count == count, values.allSatisfy(\.isFinite) else {
      throw ModelFault.invalid("\(values.count) values for what is missing, \(count) features", place: node.path)
    }
    return values
  }

  private static func operation(_ link: String) throws(HeadraceError) -> RowProgram.Operation? {
    switch link {
    case "identity": nil
    case "logistic": .unary(.sigmoid)
    case "softmax": .softmax
    case "exponential": .unary(.exponential)
    default:
      throw ModelFault.unsupported(
        "the link \(link.prefix(40))", place: "$.link", remedy: "known: identity, logistic, softmax, exponential")
    }
  }
}

extension RowProgram {
  /// A step from the last result to the next one.
  fileprivate mutating func append(_ operation: Operation, width: Int) {
    widths.append(width)
    steps.append(.init(operation: operation, inputs: [result], output: widths.count - 1))
    result = widths.count - 1
  }
}
