package import Core

extension DeltaSchema {
  /// Types inside of types, and nothing else, make a schema deep.
  private static let depthMax = 64

  /// Reads a `schemaString`.
  ///
  /// - Throws: DELTA_LOG_CORRUPT.
  package init(json text: String, place: String) throws(HeadraceError) {
    let bytes = Array(text.utf8)
    let document: JSONDocument
    do throws(JSONFault) {
      document = try JSONDocument(bytes, depthMax: Self.depthMax)
    } catch {
      throw .corruptLog("the schema is no JSON: \(error.reason.expectation)", place)
    }
    guard document["type"]?.string == "struct", case .array(let elements)? = document["fields"]?.content else {
      throw .corruptLog("the schema is no struct with fields", place)
    }
    var fields: [DeltaField] = []
    for element in elements { fields.append(try DeltaField(element, in: bytes, place)) }
    try self.init(fields)
  }

  /// The `schemaString` of a table with these columns.
  package var json: String {
    var writer = JSONWriter()
    DeltaType.structure(fields).write(to: &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

extension DeltaField {
  init(_ document: JSONDocument, in bytes: [UInt8], _ place: String) throws(HeadraceError) {
    guard let name = document["name"]?.string, let type = document["type"] else {
      throw .corruptLog("a field of the schema has no name or no type", place)
    }
    let metadata = document["metadata"].map { String(decoding: bytes[$0.range], as: UTF8.self) }
    self.init(
      name, try DeltaType(type, in: bytes, place), isNullable: document["nullable"]?.boolean ?? true,
      metadata: metadata ?? "{}")
  }

  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.key("name")
      writer.string(name)
      writer.key("type")
      type.write(to: &writer)
      writer.key("nullable")
      writer.boolean(isNullable)
      writer.key("metadata")
      writer.raw(metadata.utf8)
    }
  }
}

extension DeltaType {
  init(_ document: JSONDocument, in bytes: [UInt8], _ place: String) throws(HeadraceError) {
    if let name = document.string {
      self.init(primitive: name)
      return
    }
    switch document["type"]?.string {
    case "struct":
      guard case .array(let elements)? = document["fields"]?.content else {
        throw .corruptLog("a struct of the schema has no fields", place)
      }
      var fields: [DeltaField] = []
      for element in elements { fields.append(try DeltaField(element, in: bytes, place)) }
      self = .structure(fields)
    case "array":
      guard let element = document["elementType"] else { throw .corruptLog("an array has no elementType", place) }
      self = .list(
        try DeltaType(element, in: bytes, place), containsNull: document["containsNull"]?.boolean ?? true)
    case "map":
      guard let key = document["keyType"], let value = document["valueType"] else {
        throw .corruptLog("a map has no keyType or no valueType", place)
      }
      self = .map(
        try DeltaType(key, in: bytes, place), try DeltaType(value, in: bytes, place),
        valueContainsNull: document["valueContainsNull"]?.boolean ?? true)
    default: throw .corruptLog("the schema has a type that is \(document.kind)", place)
    }
  }

  func write(to writer: inout JSONWriter) {
    switch self {
    case .structure(let fields):
      writer.object { writer in
        writer.key("type")
        writer.string("struct")
        writer.key("fields")
        writer.array { writer in
          for field in fields { field.write(to: &writer) }
        }
      }
    case .list(let element, let containsNull):
      writer.object { writer in
        writer.key("type")
        writer.string("array")
        writer.key("elementType")
        element.write(to: &writer)
        writer.key("containsNull")
        writer.boolean(containsNull)
      }
    case .map(let key, let value, let valueContainsNull):
      writer.object { writer in
        writer.key("type")
        writer.string("map")
        writer.key("keyType")
        key.write(to: &writer)
        writer.key("valueType")
        value.write(to: &writer)
        writer.key("valueContainsNull")
        writer.boolean(valueContainsNull)
      }
    default: writer.string(name)
    }
  }
}
