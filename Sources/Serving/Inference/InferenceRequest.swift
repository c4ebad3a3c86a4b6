internal import Contracts
internal import Inference

/// An inference request: one matrix of features, as numbers in JSON or as the bytes of the binary tensor extension.
struct InferenceRequest {
  enum DataType: String {
    case float32 = "FP32"
    case float64 = "FP64"
    case integer32 = "INT32"
    case integer64 = "INT64"

    var sizeBytes: Int { self == .float32 || self == .integer32 ? 4 : 8 }
  }

  /// What the caller named; comes back with the answer.
  private(set) var id: String?
  private(set) var rowCount = 0
  /// Row by row; NaN is a missing value.
  private(set) var values: [Float] = []
  /// As the caller wants it called.
  private(set) var outputName = "scores"
  private(set) var hasBinaryOutput = false

  private var shape: [Int64] = []
  private var dataType: DataType?
  private var binarySizeBytes: Int?
  private var inputCount = 0
  private var outputCount = 0
  private var hasData = false

  /// - Parameters:
  ///   - body: the JSON, then the bytes of the tensor.
  ///   - jsonBytes: how long the JSON is; nil: all of it.
  ///   - featureCount: of a row.
  /// - Throws: 400 with what is wrong.
  init(_ body: Span<UInt8>, jsonBytes: Int?, featureCount: Int, depthMax: Int) throws(Problem) {
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
    guard inputCount == 1 else { throw .inference("found \(inputCount) inputs, expected 1: the matrix of features") }
    guard outputCount <= 1 else { throw .inference("there is 1 output, not \(outputCount)") }
    try checkShape(featureCount)
    if let binarySizeBytes {
      try readBinary(body.extracting(droppingFirst: jsonBytes), binarySizeBytes, featureCount)
    }
    guard values.count == rowCount * featureCount else {
      throw .inference("the input has \(values.count) values, its shape \(shape) says \(rowCount * featureCount)")
    }
  }

  private mutating func checkShape(_ featureCount: Int) throws(Problem) {
    let rows: Int64? =
      switch shape.count {
      case 1 where shape[0] == featureCount: 1
      case 2 where shape[1] == featureCount: shape[0]
      default: nil
      }
    guard let rows, rows >= 0, let count = Int(exactly: rows),
      !count.multipliedReportingOverflow(by: max(featureCount, 1)).overflow
    else { throw .inference("the input has shape \(shape), expected [rows, \(featureCount)]") }
    guard dataType != nil else { throw .inference("the input has no datatype, expected FP32, FP64, INT32 or INT64") }
    rowCount = count
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
        try parseParameters(&scanner)
      } else {
        let isID = key.equals("id")
        let value = try scanner.value()
        if isID, value.isString { id = value.string(in: scanner.text) }
      }
    }
  }

  private mutating func parseInputs(_ scanner: inout JSONScanner) throws(JSONSyntaxError) {
    try scanner.enter(UInt8(ascii: "["))
    while try scanner.nextElement(isFirst: inputCount == 0) {
      inputCount += 1
      try scanner.enter(UInt8(ascii: "{"))
      var isFirst = true
      while let name = try scanner.nextName(isFirst: isFirst) {
        isFirst = false
        let key = name.bytes(in: scanner.text)
        if key.equals("shape"), scanner.nextKind() == .array {
          try parseShape(&scanner)
        } else if key.equals("data"), scanner.nextKind() == .array {
          hasData = true
          try parseData(&scanner)
        } else if key.equals("parameters"), scanner.nextKind() == .object {
          try parseParameters(&scanner)
        } else {
          let isType = key.equals("datatype")
          let value = try scanner.value()
          if isType { dataType = DataType(rawValue: value.string(in: scanner.text)) }
        }
      }
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
          try parseParameters(&scanner)
        } else {
          let isName = key.equals("name")
          let value = try scanner.value()
          if isName, value.isString { outputName = value.string(in: scanner.text) }
        }
      }
    }
  }

  /// `binary_data_size` of an input, `binary_data` of an output, `binary_data_output` of the request.
  private mutating func parseParameters(_ scanner: inout JSONScanner) throws(JSONSyntaxError) {
    try scanner.enter(UInt8(ascii: "{"))
    var isFirst = true
    while let name = try scanner.nextName(isFirst: isFirst) {
      isFirst = false
      let key = name.bytes(in: scanner.text)
      let (isSize, isOutput) = (key.equals("binary_data_size"), key.equals("binary_data"))
      let isAll = key.equals("binary_data_output")
      let value = try scanner.value()
      if isSize { binarySizeBytes = value.integer(in: scanner.text).flatMap { Int(exactly: $0) } ?? -1 }
      if isOutput || isAll { hasBinaryOutput = value.kind == .true }
    }
  }

  private mutating func parseShape(_ scanner: inout JSONScanner) throws(JSONSyntaxError) {
    shape.removeAll()
    try scanner.enter(UInt8(ascii: "["))
    while try scanner.nextElement(isFirst: shape.isEmpty) {
      shape.append(try scanner.value().integer(in: scanner.text) ?? -1)
    }
  }

  /// Numbers, in nested arrays or flat; null is a missing value.
  private mutating func parseData(_ scanner: inout JSONScanner) throws(JSONSyntaxError) {
    try scanner.enter(UInt8(ascii: "["))
    var isFirst = true
    while try scanner.nextElement(isFirst: isFirst) {
      isFirst = false
      if scanner.nextKind() == .array {
        try parseData(&scanner)
      } else {
        let value = try scanner.value()
        let text = value.bytes(in: scanner.text)
        let number = unsafe text.withUnsafeBufferPointer { unsafe Double(String(decoding: $0, as: UTF8.self)) }
        values.append(Float(number ?? .nan))
      }
    }
  }

  private mutating func readBinary(_ tensor: Span<UInt8>, _ sizeBytes: Int, _ featureCount: Int) throws(Problem) {
    guard !hasData, let dataType else { throw .inference("the input has data and binary data") }
    let count = rowCount * featureCount
    guard sizeBytes == tensor.count, count <= tensor.count, count * dataType.sizeBytes == sizeBytes else {
      throw .inference(
        "the input has \(tensor.count) bytes, its binary_data_size is \(sizeBytes), and \(shape) of "
          + "\(dataType.rawValue) takes \(count) times \(dataType.sizeBytes)")
    }
    values.reserveCapacity(count)
    unsafe tensor.withUnsafeBytes { bytes in
      for index in 0..<count {
        let offset = index * dataType.sizeBytes
        switch dataType {
        case .float32:
          values.append(Float(bitPattern: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        case .float64:
          values.append(
            Float(Double(bitPattern: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))))
        case .integer32: values.append(Float(unsafe bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
        case .integer64: values.append(Float(unsafe bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self)))
        }
      }
    }
  }
}

extension Problem {
  /// A request that is none.
  static func inference(_ message: String) -> Problem { Problem(400, "INVALID_INFERENCE_REQUEST", message) }
}
