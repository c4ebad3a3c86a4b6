internal import Columns
internal import Core
internal import NIOCore

/// A request that is one flat record, `{"amount": 12.5, "payments_1h": 3}`, as the Open Inference Protocol has it: the
/// model's vector by name, or join keys by which its features are looked up.
///
/// Rewritten into that protocol, so that everything behind it has one set of rules.
enum FeatureRecord {
  /// A feature of a model's vector.
  struct Field: Sendable {
    var name: String
    /// Takes the place of what a record leaves out; null stays a missing value.
    var defaultValue: Value
  }

  /// Whether a body is no request of the protocol: it names no inputs.
  static func isMeant(by body: ByteBuffer) -> Bool {
    let name = Array("\"inputs\"".utf8)
    return body.readableBytesView.firstRange(of: name) == nil
  }

  /// - Throws: 400 when it is no record of the model.
  static func request(_ body: ByteBuffer, _ model: ServedModel, depthMax: Int) throws(Problem) -> ByteBuffer {
    let document: JSONDocument
    do {
      document = try JSONDocument(Array(body.readableBytesView), depthMax: depthMax)
    } catch {
      throw .inference("the request is no JSON")
    }
    guard case .object(let members) = document.content, !members.isEmpty else {
      throw .inference("the request has neither `inputs` nor features, found \(document.kind)")
    }
    let names = Set(model.features.map(\.name))
    let isLookup = model.lookup.map { lookup in
      members.contains { lookup.joinKeys.contains($0.name) && !names.contains($0.name) }
    }
    if isLookup == true { return try keys(members) }
    if let unknown = members.first(where: { !names.contains($0.name) }) {
      let near = NearestName.of(unknown.name, in: Array(names))
      throw .inference(
        "model `\(model.name)` has no feature `\(unknown.name)`" + (near.map { ", did you mean `\($0)`?" } ?? ""))
    }
    return try vector(members, model)
  }

  /// `{"inputs": [{"name": "user_id", "shape": [1], "datatype": "INT64", "data": [7]}, …]}`
  private static func keys(_ members: [JSONDocument.Member]) throws(Problem) -> ByteBuffer {
    var text = ByteBuffer()
    text.write("{\"inputs\":[")
    for (index, member) in members.enumerated() {
      if index > 0 { text.write(",") }
      text.write("{\"name\":")
      text.writeQuoted(member.name)
      text.write(",\"shape\":[1],\"datatype\":\"")
      switch member.value.content {
      case .boolean(let flag): text.writeString("BOOL\",\"data\":[\(flag)]}")
      case .number(let number): text.writeString("\(Int64(number) == nil ? "FP64" : "INT64")\",\"data\":[\(number)]}")
      case .string(let string):
        text.write("BYTES\",\"data\":[")
        text.writeQuoted(string)
        text.write("]}")
      case .null: text.write("BYTES\",\"data\":[null]}")
      case .array, .object: throw .inference("`\(member.name)` is \(member.value.kind), expected a value")
      }
    }
    text.write("]}")
    return text
  }

  private static func vector(_ members: [JSONDocument.Member], _ model: ServedModel) throws(Problem) -> ByteBuffer {
    var values: [String: String] = [:]
    for member in members {
      switch member.value.content {
      case .boolean(let flag): values[member.name] = flag ? "1" : "0"
      case .number(let number): values[member.name] = number
      case .null: values[member.name] = "null"
      case .string, .array, .object:
        throw .inference("feature `\(member.name)` is \(member.value.kind), expected a number")
      }
    }
    var text = ByteBuffer()
    text.write("{\"inputs\":[{\"name\":\"features\",\"datatype\":\"FP64\",\"shape\":[1,")
    text.writeDecimal(Int64(model.features.count))
    text.write("],\"data\":[")
    for (index, field) in model.features.enumerated() {
      if index > 0 { text.write(",") }
      // A null that was said is missing as well: the service's default is for both, as in the stream.
      let value = values[field.name].flatMap { $0 == "null" ? nil : $0 } ?? field.defaultText
      text.writeString(value)
    }
    text.write("]}]}")
    return text
  }
}

extension FeatureRecord.Field {
  fileprivate var defaultText: String {
    switch defaultValue {
    case .boolean(let flag): flag ? "1" : "0"
    case .integer(let number): "\(number)"
    case .double(let number) where number.isFinite: "\(number)"
    default: "null"
    }
  }
}
