internal import Core
internal import Inference
internal import NIOCore

/// Writes what the protocol answers.
enum InferenceAnswer {
  /// The scores of a request.
  ///
  /// - Returns: how long the JSON in front of the binary tensor is; nil without one.
  static func write(
    _ request: borrowing InferenceRequest, _ model: ServedModel, _ scores: borrowing [Double],
    to body: inout ByteBuffer
  ) -> Int? {
    let outputCount = model.compiled.model.outputCount
    body.write("{\"model_name\":")
    body.writeQuoted(model.name)
    body.write(",\"model_version\":")
    body.writeQuoted(model.version)
    if let id = request.id {
      body.write(",\"id\":")
      body.writeQuoted(id)
    }
    body.write(",\"outputs\":[{\"name\":")
    body.writeQuoted(request.outputName)
    body.write(",\"datatype\":\"FP64\",\"shape\":[")
    body.writeDecimal(Int64(request.rowCount))
    if outputCount > 1 {
      body.write(",")
      body.writeDecimal(Int64(outputCount))
    }
    guard request.hasBinaryOutput else {
      body.write("],\"data\":[")
      for index in scores.indices {
        if index > 0 { body.write(",") }
        if scores[index].isFinite { body.writeDouble(scores[index]) } else { body.write("null") }
      }
      body.write("]}]}")
      return nil
    }
    body.write("],\"parameters\":{\"binary_data_size\":")
    body.writeDecimal(Int64(scores.count * 8))
    body.write("}}]}")
    let jsonBytes = body.readableBytes
    body.reserveCapacity(minimumWritableBytes: scores.count * 8)
    for index in scores.indices { body.writeInteger(scores[index].bitPattern, endianness: .little) }
    return jsonBytes
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
