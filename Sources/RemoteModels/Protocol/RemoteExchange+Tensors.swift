internal import Core
internal import HTTPClient

// Open Inference Protocol v2: https://github.com/kserve/open-inference-protocol, with Triton's binary tensor extension.

extension RemoteExchange {
  private static let jsonLengthHeader = "inference-header-content-length"

  func tensorRequest(_ rows: ArraySlice<Float>, rowCount: Int) -> HTTPRequest {
    var parts = ["v2", "models", configuration.model]
    if let version = configuration.version { parts += ["versions", version] }
    let url = url(parts + ["infer"])
    let isBinary = configuration.tensors == .binary
    var json = JSONWriter()
    json.object {
      $0.key("inputs")
      $0.array {
        $0.object {
          $0.member("name", configuration.inputName)
          $0.key("shape")
          $0.array {
            $0.number(rowCount)
            $0.number(featureCount)
          }
          $0.member("datatype", "FP32")
          if isBinary {
            $0.key("parameters")
            $0.object { $0.member("binary_data_size", rows.count * 4) }
          } else {
            $0.key("data")
            $0.array { writer in for value in rows { writer.number(value) } }
          }
        }
      }
      if let name = configuration.outputName {
        $0.key("outputs")
        $0.array {
          $0.object {
            $0.member("name", name)
            $0.key("parameters")
            $0.object { $0.member("binary_data", isBinary) }
          }
        }
      } else if isBinary {
        $0.key("parameters")
        $0.object { $0.member("binary_data_output", true) }
      }
    }
    guard isBinary else {
      return HTTPRequest("POST", url, headers: [("content-type", "application/json")], body: json.bytes)
    }
    var body = json.bytes
    let jsonBytes = body.count
    body.reserveCapacity(jsonBytes + rows.count * 4)
    for value in rows {
      let bits = value.bitPattern
      for shift in stride(from: UInt32(0), to: 32, by: 8) { body.append(UInt8(truncatingIfNeeded: bits >> shift)) }
    }
    return HTTPRequest(
      "POST", url,
      headers: [("content-type", "application/octet-stream"), (Self.jsonLengthHeader, "\(jsonBytes)")], body: body)
  }

  /// - Returns: nil when the answer is no tensor of the expected shape.
  func tensorAnswer(_ response: HTTPResponse, rowCount: Int) -> RemoteAnswer? {
    var jsonBytes = response.body.count
    if let text = response.header(Self.jsonLengthHeader) {
      guard let count = Int(text), count >= 0, count <= response.body.count else { return nil }
      jsonBytes = count
    }
    guard let document = try? JSONDocument(Array(response.body[..<jsonBytes]), depthMax: Self.depthMax),
      let outputs = document["outputs"]?.elements
    else { return nil }
    var offset = jsonBytes
    for output in outputs {
      let size = output["parameters"]?["binary_data_size"]?.integer
      let isWanted = configuration.outputName.map { output["name"]?.string == $0 } ?? true
      guard isWanted else {
        guard let skipped = Int(exactly: size ?? 0), skipped >= 0, skipped <= response.body.count - offset else {
          return nil
        }
        offset += skipped
        continue
      }
      guard isShape(output["shape"]?.elements?.map(\.integer), rowCount) else { return nil }
      guard let size else { return numbers(output["data"], rowCount).map { RemoteAnswer(scores: $0) } }
      guard let count = Int(exactly: size), count >= 0, count <= response.body.count - offset else { return nil }
      return Self.numbers(response.body[offset..<offset + count], output["datatype"]?.string).map {
        RemoteAnswer(scores: $0)
      }
    }
    return nil
  }

  /// [rows], [rows, 1] or [rows, outputs].
  private func isShape(_ shape: [Int64?]?, _ rowCount: Int) -> Bool {
    guard let shape, shape.first == Int64(rowCount) else { return false }
    if shape.count == 1 { return configuration.outputCount == 1 }
    return shape.count == 2 && shape[1] == Int64(configuration.outputCount)
  }

  /// Nested by rows, or flat.
  private func numbers(_ data: JSONDocument?, _ rowCount: Int) -> [Double]? {
    guard let items = data?.elements else { return nil }
    var numbers: [Double] = []
    for item in items.flatMap({ $0.elements ?? [$0] }) {
      guard let number = item.double else { return nil }
      numbers.append(number)
    }
    return numbers
  }

  private static func numbers(_ bytes: ArraySlice<UInt8>, _ type: String?) -> [Double]? {
    func read<Word: FixedWidthInteger>(_ make: (Word) -> Double) -> [Double]? {
      let width = Word.bitWidth / 8
      guard bytes.count % width == 0 else { return nil }
      return stride(from: bytes.startIndex, to: bytes.endIndex, by: width).map { start in
        var word: Word = 0
        for index in 0..<width { word |= Word(truncatingIfNeeded: bytes[start + index]) << Word(8 * index) }
        return make(word)
      }
    }
    switch type {
    case "FP64": return read { (bits: UInt64) in Double(bitPattern: bits) }
    case "FP32": return read { (bits: UInt32) in Double(Float(bitPattern: bits)) }
    case "INT64": return read { (bits: UInt64) in Double(Int64(bitPattern: bits)) }
    case "INT32": return read { (bits: UInt32) in Double(Int32(bitPattern: bits)) }
    case "UINT8", "BOOL": return read { (byte: UInt8) in Double(byte) }
    default: return nil
    }
  }
}
