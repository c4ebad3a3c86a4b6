internal import Core
internal import Inference
internal import NIOCore

/// Writes what the protocol answers.
enum InferenceAnswer {
  /// The scores of a request, and what each feature contributes when it asked for that.
  ///
  /// - Returns: how long the JSON in front of the binary tensors is; nil without any.
  static func write(_ memory: ScoringMemory, _ model: ServedModel, to body: inout ByteBuffer) -> Int? {
    let isBinary = memory.request.hasBinaryOutput
    body.write("{\"model_name\":")
    body.writeQuoted(model.name)
    body.write(",\"model_version\":")
    body.writeQuoted(model.version)
    if let id = memory.request.id {
      body.write(",\"id\":")
      body.writeQuoted(id)
    }
    body.write(",\"outputs\":[")
    let (rows, outputs) = (memory.request.rowCount, model.compiled.model.outputCount)
    write(
      memory.request.outputName, rows: rows, width: outputs > 1 ? outputs : nil, memory.scores, isBinary: isBinary,
      to: &body)
    if memory.request.isExplained {
      body.write(",")
      write(
        contributionsName, rows: rows, width: memory.contributionWidth, memory.contributions, isBinary: isBinary,
        about: memory.explanation, to: &body)
    }
    body.write("]}")
    guard isBinary else { return nil }
    let jsonBytes = body.readableBytes
    writeBytes(memory.scores, to: &body)
    if memory.request.isExplained { writeBytes(memory.contributions, to: &body) }
    return jsonBytes
  }

  /// Of the output beside the scores: for each margin the features and the base value.
  private static let contributionsName = "contributions"

  private static func write(
    _ name: String, rows: Int, width: Int?, _ numbers: borrowing [Double], isBinary: Bool,
    about explanation: ExplainableModel? = nil, to body: inout ByteBuffer
  ) {
    body.write("{\"name\":")
    body.writeQuoted(name)
    body.write(",\"datatype\":\"FP64\",\"shape\":[")
    body.writeDecimal(Int64(rows))
    if let width {
      body.write(",")
      body.writeDecimal(Int64(width))
    }
    body.write("]")
    writeParameters(binaryBytes: isBinary ? numbers.count * 8 : nil, explanation, to: &body)
    guard !isBinary else { return body.write("}") }
    body.write(",\"data\":[")
    for index in numbers.indices {
      if index > 0 { body.write(",") }
      if numbers[index].isFinite { body.writeDouble(numbers[index]) } else { body.write("null") }
    }
    body.write("]}")
  }

  /// How long a binary tensor is, and of contributions what they are.
  private static func writeParameters(
    binaryBytes: Int?, _ explanation: ExplainableModel?, to body: inout ByteBuffer
  ) {
    guard binaryBytes != nil || explanation != nil else { return }
    body.write(",\"parameters\":{")
    if let binaryBytes {
      body.write("\"binary_data_size\":")
      body.writeDecimal(Int64(binaryBytes))
    }
    if let explanation {
      body.write(binaryBytes == nil ? "\"definition\":" : ",\"definition\":")
      body.writeQuoted(explanation.definition.rawValue)
      if explanation.backgroundRowCount > 0 {
        body.write(",\"background_rows\":")
        body.writeDecimal(Int64(explanation.backgroundRowCount))
      }
    }
    body.write("}")
  }

  private static func writeBytes(_ numbers: borrowing [Double], to body: inout ByteBuffer) {
    body.reserveCapacity(minimumWritableBytes: numbers.count * 8)
    for index in numbers.indices { body.writeInteger(numbers[index].bitPattern, endianness: .little) }
  }

  static func metadata(_ model: ServedModel, versions: [String]) -> ByteBuffer {
    let content = model.compiled.model
    var body = ByteBuffer()
    body.write("{\"name\":")
    body.writeQuoted(model.name)
    body.write(",\"versions\":[")
    for (index, version) in versions.enumerated() {
      if index > 0 { body.write(",") }
      body.writeQuoted(version)
    }
    body.write("],\"platform\":")
    body.writeQuoted("headrace_\(content.format.rawValue)")
    body.write(",\"inputs\":[{\"name\":\"features\",\"datatype\":\"FP32\",\"shape\":[-1,")
    body.writeDecimal(Int64(content.featureCount))
    body.write("]}],\"outputs\":[{\"name\":\"scores\",\"datatype\":\"FP64\",\"shape\":[-1")
    if content.outputCount > 1 {
      body.write(",")
      body.writeDecimal(Int64(content.outputCount))
    }
    body.write("]}]}")
    return body
  }

  /// Every version of every model.
  static func index(_ models: ServedModels) -> ByteBuffer {
    var body = ByteBuffer()
    body.write("[")
    var isFirst = true
    for (name, family) in models.families.sorted(by: { $0.key < $1.key }) {
      for version in family.versionNames {
        if !isFirst { body.write(",") }
        isFirst = false
        body.write("{\"name\":")
        body.writeQuoted(name)
        body.write(",\"version\":")
        body.writeQuoted(version)
        body.write(",\"state\":\"READY\",\"reason\":\"\"}")
      }
    }
    body.write("]")
    return body
  }
}
