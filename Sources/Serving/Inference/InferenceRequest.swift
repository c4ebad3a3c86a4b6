internal import Contracts

/// An inference request: its tensors, where they are, and the numbers of the first one.
///
/// One may serve many requests, one after the other: its arrays keep their memory.
struct InferenceRequest {
  struct Input {
    var name: JSONValue?
    /// nil: none, or one that is not known.
    var type: TensorType?
    var shape: [Int64] = []
    /// The array of JSON that holds the values.
    var data: Range<Int>?
    /// Of the values behind the JSON.
    var binarySizeBytes: Int?
    /// Where they begin in the body.
    var binaryOffset = 0
  }

  /// What the caller named; comes back with the answer.
  private(set) var id: String?
  private(set) var inputs: [Input] = []
  private(set) var rowCount = 0
  /// Row by row; NaN is a missing value.
  private(set) var values: [Float] = []
  /// As the caller wants it called.
  private(set) var outputName = "scores"
  private(set) var hasBinaryOutput = false
  /// Whether the answer shall say what each feature contributes (`"parameters": {"explain": true}`).
  private(set) var isExplained = false
  /// Rows that contributions are measured by; empty: none were given.
  private(set) var background: [Float] = []

  private var outputCount = 0

  init() {}

  var valueCapacity: Int { values.capacity }

  /// Reads a request; `readMatrix` or `EntityInputs` turn it into rows.
  ///
  /// - Parameters:
  ///   - body: the JSON, then the bytes of tensors in the order of the inputs.
  ///   - jsonBytes: how long the JSON is; nil: all of it.
  /// - Throws: 400 with what is wrong.
  mutating func parse(_ body: Span<UInt8>, jsonBytes: Int?, depthMax: Int) throws(Problem) {
    reset()
    let jsonBytes = jsonBytes ?? body.count
    guard jsonBytes >= 0, jsonBytes <= body.count else {
      throw .inference("Inference-Header-Content-Length is \(jsonBytes), the body has \(body.count) bytes")
    }
    let text = body.extracting(first: jsonBytes)
    guard (try? UTF8Span(validating: text)) != nil else { throw .inference("the request is not UTF-8") }
    do throws(JSONSyntaxError) {
      var scanner = JSONScanner(text, depthMax: depthMax)
      try parse(&scanner)
      try scanner.end()
    } catch {
      throw .inference("the request is no JSON: \(error.reason.rawValue) at byte \(error.offset)")
    }
    guard outputCount <= 1 else { throw .inference("there is 1 output, not \(outputCount)") }
    try placeBinary(from: jsonBytes, bodyBytes: body.count)
  }

  private mutating func reset() {
    id = nil
    inputs.removeAll(keepingCapacity: true)
    rowCount = 0
    values.removeAll(keepingCapacity: true)
    outputName = "scores"
    hasBinaryOutput = false
    isExplained = false
    background.removeAll(keepingCapacity: true)
    outputCount = 0
  }

  /// Binary tensors lie one after the other behind the JSON.
  private mutating func placeBinary(from start: Int, bodyBytes: Int) throws(Problem) {
    var offset = start
    for index in inputs.indices {
      guard let sizeBytes = inputs[index].binarySizeBytes else { continue }
      guard inputs[index].data == nil else { throw .inference("input \(index) has data and binary data") }
      guard sizeBytes >= 0, sizeBytes <= bodyBytes - offset else {
        throw .inference(
          "the binary_data_size of input \(index) is \(sizeBytes), \(bodyBytes - offset) bytes are left")
      }
      inputs[index].binaryOffset = offset
      offset += sizeBytes
    }
    guard offset == bodyBytes else {
      throw .inference("\(bodyBytes - offset) bytes behind the JSON belong to no input")
    }
  }

  /// Takes the input `background` of a request that asks for contributions out of the inputs.
  ///
  /// - Throws: 400 when it is no matrix of so many features.
  mutating func takeBackground(_ body: Span<UInt8>, featureCount: Int) throws(Problem) {
    guard isExplained, let index = inputs.indices.dropFirst().first(where: { isBackground($0, body) }) else { return }
    let input = inputs.remove(at: index)
    guard let type = input.type, type != .bytes, input.shape.count == 2, input.shape[1] == featureCount,
      let rows = Int(exactly: input.shape[0]), rows > 0
    else {
      throw .inference("`background` has shape \(input.shape), expected numbers of shape [rows, \(featureCount)]")
    }
    if let sizeBytes = input.binarySizeBytes {
      guard let size = type.sizeBytes, sizeBytes % size == 0 else {
        throw .inference("`background` has \(sizeBytes) bytes, which are no numbers of \(type.rawValue)")
      }
      unsafe type.append(body.extracting(input.binaryOffset..<input.binaryOffset + sizeBytes).bytes, to: &background)
    } else if let data = input.data {
      do throws(JSONSyntaxError) {
        var scanner = JSONScanner(body.extracting(data), depthMax: 8)
        try Self.parseData(&scanner, into: &background)
      } catch {
        throw .inference("`background` is no array of numbers")
      }
    }
    let (count, isTooMany) = rows.multipliedReportingOverflow(by: featureCount)
    guard !isTooMany, background.count == count else {
      throw .inference("`background` has \(background.count) values, its shape is \(input.shape)")
    }
  }

  private func isBackground(_ index: Int, _ body: Span<UInt8>) -> Bool {
    inputs[index].name?.string(in: body) == "background"
  }

  /// Takes the one input as the matrix of features.
  mutating func readMatrix(_ body: Span<UInt8>, featureCount: Int) throws(Problem) {
    guard inputs.count == 1 else {
      throw .inference(
        "found \(inputs.count) inputs, expected 1: the matrix of features"
          + (isExplained ? "" : " (`background` goes with `\"parameters\": {\"explain\": true}`)"))
    }
    let (input, shape) = (inputs[0], inputs[0].shape)
    let rows: Int64? =
      switch shape.count {
      case 1 where shape[0] == featureCount: 1
      case 2 where shape[1] == featureCount: shape[0]
      default: nil
      }
    guard let rows, rows >= 0, let rowCount = Int(exactly: rows) else {
      throw .inference("the input has shape \(shape), expected [rows, \(featureCount)]")
    }
    guard let type = input.type, type != .bytes else {
      throw .inference(
        "the datatype of the input is none of numbers: FP16, BF16, FP32, FP64, BOOL, INT8 to INT64, UINT8 to UINT64")
    }
    let (count, isTooMany) = rowCount.multipliedReportingOverflow(by: featureCount)
    if let sizeBytes = input.binarySizeBytes {
      guard let size = type.sizeBytes, !isTooMany, count <= sizeBytes, count * size == sizeBytes else {
        throw .inference(
          "the input has \(sizeBytes) bytes, \(shape) of \(type.rawValue) takes \(type.sizeBytes ?? 0) for each value")
      }
      values.removeAll(keepingCapacity: true)
      values.reserveCapacity(count)
      let end = input.binaryOffset + sizeBytes
      unsafe type.append(body.extracting(input.binaryOffset..<end).bytes, to: &values)
    }
    guard !isTooMany, values.count == count else {
      throw .inference("the input has \(values.count) values, its shape is \(shape)")
    }
    self.rowCount = rowCount
  }

  /// Takes rows that were made elsewhere.
  mutating func setMatrix(rowCount: Int, _ value: (_ row: Int, _ column: Int) -> Float, columnCount: Int) {
    self.rowCount = rowCount
    values.removeAll(keepingCapacity: true)
    values.reserveCapacity(rowCount * columnCount)
    for row in 0..<rowCount {
      for column in 0..<columnCount { values.append(value(row, column)) }
    }
  }
}

extension InferenceRequest {
  private mutating func parse(_ scanner: inout JSONScanner) throws(JSONSyntaxError) {
    try scanner.enter(UInt8(ascii: "{"))
    var isFirst = true
    while let name = try scanner.nextName(isFirst: isFirst) {
      isFirst = false
      let key = name.bytes(in: scanner.text)
      if key.equals("inputs"), scanner.nextKind() == .array {
        try parseInputs(&scanner)
      } else if key.equals("outputs"), scanner.nextKind() == .array {
        try parseOutputs(&scanner)
      } else if key.equals("parameters"), scanner.nextKind() == .object {
        _ = try parseParameters(&scanner)
      } else {
        let isID = key.equals("id")
        let value = try scanner.value()
        if isID, value.isString { id = value.string(in: scanner.text) }
      }
    }
  }

  private mutating func parseInputs(_ scanner: inout JSONScanner) throws(JSONSyntaxError) {
    try scanner.enter(UInt8(ascii: "["))
    while try scanner.nextElement(isFirst: inputs.isEmpty) {
      try scanner.enter(UInt8(ascii: "{"))
      var input = Input()
      var isFirst = true
      while let name = try scanner.nextName(isFirst: isFirst) {
        isFirst = false
        let key = name.bytes(in: scanner.text)
        if key.equals("shape"), scanner.nextKind() == .array {
          input.shape = try Self.shape(&scanner)
        } else if key.equals("data"), scanner.nextKind() == .array {
          let start = scanner.offset
          if inputs.isEmpty { try Self.parseData(&scanner, into: &values) } else { _ = try scanner.value() }
          input.data = start..<scanner.offset
        } else if key.equals("parameters"), scanner.nextKind() == .object {
          input.binarySizeBytes = try parseParameters(&scanner)
        } else {
          let (isType, isName) = (key.equals("datatype"), key.equals("name"))
          let value = try scanner.value()
          if isType { input.type = TensorType(rawValue: value.string(in: scanner.text)) }
          if isName, value.isString { input.name = value }
        }
      }
      inputs.append(input)
    }
  }

  private mutating func parseOutputs(_ scanner: inout JSONScanner) throws(JSONSyntaxError) {
    try scanner.enter(UInt8(ascii: "["))
    while try scanner.nextElement(isFirst: outputCount == 0) {
      outputCount += 1
      try scanner.enter(UInt8(ascii: "{"))
      var isFirst = true
      while let name = try scanner.nextName(isFirst: isFirst) {
        isFirst = false
        let key = name.bytes(in: scanner.text)
        if key.equals("parameters"), scanner.nextKind() == .object {
          _ = try parseParameters(&scanner)
        } else {
          let isName = key.equals("name")
          let value = try scanner.value()
          if isName, value.isString { outputName = value.string(in: scanner.text) }
        }
      }
    }
  }

  /// `binary_data` of an output, `binary_data_output` and `explain` of the request.
  ///
  /// - Returns: `binary_data_size` of an input; -1 for what is no number.
  private mutating func parseParameters(_ scanner: inout JSONScanner) throws(JSONSyntaxError) -> Int? {
    var sizeBytes: Int?
    try scanner.enter(UInt8(ascii: "{"))
    var isFirst = true
    while let name = try scanner.nextName(isFirst: isFirst) {
      isFirst = false
      let key = name.bytes(in: scanner.text)
      let (isSize, isOutput) = (key.equals("binary_data_size"), key.equals("binary_data"))
      let (isAll, isExplain) = (key.equals("binary_data_output"), key.equals("explain"))
      let value = try scanner.value()
      if isSize { sizeBytes = value.integer(in: scanner.text).flatMap { Int(exactly: $0) } ?? -1 }
      if isOutput || isAll { hasBinaryOutput = value.kind == .true }
      if isExplain { isExplained = value.kind == .true }
    }
    return sizeBytes
  }

  private static func shape(_ scanner: inout JSONScanner) throws(JSONSyntaxError) -> [Int64] {
    var shape: [Int64] = []
    try scanner.enter(UInt8(ascii: "["))
    while try scanner.nextElement(isFirst: shape.isEmpty) {
      shape.append(try scanner.value().integer(in: scanner.text) ?? -1)
    }
    return shape
  }

  /// Numbers, in nested arrays or flat; what is no number is a missing value.
  private static func parseData(
    _ scanner: inout JSONScanner, into values: inout [Float]
  ) throws(JSONSyntaxError) {
    try scanner.enter(UInt8(ascii: "["))
    var isFirst = true
    while try scanner.nextElement(isFirst: isFirst) {
      isFirst = false
      if scanner.nextKind() == .array {
        try parseData(&scanner, into: &values)
      } else {
        let value = try scanner.value()
        values.append(
          Float(value.double(in: scanner.text) ?? (value.kind == .true ? 1 : value.kind == .false ? 0 : .nan)))
      }
    }
  }
}

extension Problem {
  /// A request that is none.
  static func inference(_ message: String) -> Problem { Problem(400, "INVALID_INFERENCE_REQUEST", message) }
}
