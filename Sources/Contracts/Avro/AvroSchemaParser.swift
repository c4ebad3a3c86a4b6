internal import Core

/// From the JSON of a schema to its types. Names that it met stay known from one document to the next.
struct AvroSchemaParser {
  private(set) var types: [AvroType] = []
  private var named: [String: AvroSchema.TypeID] = [:]

  /// What is wrong at one place of the document.
  struct Fault: Error {
    var offset: Int
    var message: String
    var remedy: String
  }

  static let primitives: [String: AvroType.Shape] = [
    "null": .null, "boolean": .boolean, "int": .int, "long": .long, "float": .float, "double": .double,
    "bytes": .bytes, "string": .string,
  ]

  /// Where in the document a type stands, for messages and for names.
  private struct Context {
    var path: String
    var namespace: String
    var depth: Int

    func at(_ step: String) -> Context { Context(path: path + step, namespace: namespace, depth: depth + 1) }
  }

  mutating func document(_ json: [UInt8], place: String) throws(HeadraceError) -> AvroSchema.TypeID {
    guard json.count <= AvroSchema.sizeBytesMax else {
      throw HeadraceError(
        .user, "SCHEMA_INVALID", "the schema has \(json.count) bytes; at most \(AvroSchema.sizeBytesMax) are read",
        place: place, remedy: "split it: named types may live in schemas of their own")
    }
    let document: JSONDocument
    do throws(JSONFault) {
      document = try JSONDocument(json, depthMax: 4 * AvroSchema.depthMax)
    } catch {
      throw Self.error(error, in: json, place: place)
    }
    do throws(Fault) {
      return try type(document, Context(path: "$", namespace: "", depth: 0))
    } catch {
      throw HeadraceError(
        .user, "SCHEMA_INVALID", error.message, place: Self.place(error.offset, in: json, of: place),
        remedy: error.remedy)
    }
  }

  private static func error(_ fault: JSONFault, in json: [UInt8], place: String) -> HeadraceError {
    let place = Self.place(fault.position, in: json, of: place)
    guard fault.reason != .tooDeep else {
      return HeadraceError(
        .user, "SCHEMA_INVALID", "types are nested more than \(AvroSchema.depthMax) deep", place: place,
        remedy: "flatten the schema, or give inner records names")
    }
    return HeadraceError(
      .user, "SCHEMA_INVALID", "this is no JSON: \(fault.reason.expectation)", place: place, remedy: fault.reason.remedy
    )
  }

  /// `FILE:LINE:COLUMN`, both from 1.
  static func place(_ offset: Int, in json: [UInt8], of file: String) -> String {
    var (line, column) = (1, 1)
    for byte in json.prefix(offset) {
      if byte == UInt8(ascii: "\n") {
        (line, column) = (line + 1, 1)
      } else if byte & 0xc0 != 0x80 {
        column += 1
      }
    }
    return "\(file):\(line):\(column)"
  }

  private mutating func add(_ type: AvroType, _ json: JSONDocument) throws(Fault) -> AvroSchema.TypeID {
    guard types.count < AvroSchema.typesMax else {
      throw Fault(
        offset: json.range.lowerBound, message: "more than \(AvroSchema.typesMax) types",
        remedy: "name types that come more than once, and refer to them")
    }
    types.append(type)
    return types.count - 1
  }

  private mutating func type(_ json: JSONDocument, _ context: Context) throws(Fault) -> AvroSchema.TypeID {
    guard context.depth < AvroSchema.depthMax else {
      throw Fault(
        offset: json.range.lowerBound, message: "types are nested more than \(AvroSchema.depthMax) deep",
        remedy: "flatten the schema, or give inner records names and refer to them")
    }
    switch json.content {
    case .string(let name): return try reference(name, json, context)
    case .array(let branches): return try union(branches, json, context)
    case .object: return try complex(json, context)
    default:
      throw .expected(
        "a type", found: json, context.path, remedy: "write a name, an object with \"type\", or an array of types")
    }
  }

  private mutating func reference(
    _ name: String, _ json: JSONDocument, _ context: Context
  ) throws(Fault) -> AvroSchema.TypeID {
    if let shape = Self.primitives[name] { return try add(AvroType(shape: shape), json) }
    let isQualified = name.contains(".")
    let full = isQualified || context.namespace.isEmpty ? name : "\(context.namespace).\(name)"
    if let known = named[full] ?? (isQualified ? nil : named[name]) { return known }
    let nearest = NearestName.of(name, in: (Array(Self.primitives.keys) + Array(named.keys)).sorted())
    throw Fault(
      offset: json.range.lowerBound, message: "\(context.path): found \"\(name)\", expected the name of a type",
      remedy: nearest.map { "did you mean \"\($0)\"?" } ?? "define a type before the first use of its name")
  }

  private mutating func union(
    _ branches: [JSONDocument], _ json: JSONDocument, _ context: Context
  ) throws(Fault) -> AvroSchema.TypeID {
    var ids: [AvroSchema.TypeID] = []
    var titles: Set<String> = []
    guard !branches.isEmpty else {
      throw .expected("at least one type in a union", found: json, context.path, remedy: "name the types")
    }
    for (index, branch) in branches.enumerated() {
      let step = context.at("[\(index)]")
      let id = try type(branch, step)
      if case .union = types[id].shape {
        throw .expected("no union directly inside of a union", found: branch, step.path, remedy: "make it one union")
      }
      guard titles.insert(types[id].title).inserted else {
        throw Fault(
          offset: branch.range.lowerBound, message: "\(step.path): \(types[id].title) is in this union already",
          remedy: "keep one of them; records, enums and fixed may come more than once under different names")
      }
      ids.append(id)
    }
    return try add(AvroType(shape: .union(ids)), json)
  }

  private mutating func complex(_ json: JSONDocument, _ context: Context) throws(Fault) -> AvroSchema.TypeID {
    guard let type = json["type"] else {
      throw .expected("a member \"type\"", found: json, context.path, remedy: "say what this is, such as \"record\"")
    }
    guard case .string(let name) = type.content else { return try self.type(type, context.at(".type")) }
    switch name {
    case "record", "error": return try record(json, context)
    case "enum": return try enumeration(json, context)
    case "fixed": return try fixed(json, context)
    case "array":
      let items = try self.type(try json.required("items", context.path), context.at(".items"))
      return try add(AvroType(shape: .array(items)), json)
    case "map":
      let values = try self.type(try json.required("values", context.path), context.at(".values"))
      return try add(AvroType(shape: .map(values)), json)
    default:
      guard let shape = Self.primitives[name] else { return try reference(name, type, context.at(".type")) }
      return try add(AvroType(shape: shape, logical: AvroLogicalType(json, shape: shape)), json)
    }
  }
}

// MARK: Named types

extension AvroSchemaParser {
  /// Adds a named type with its aliases.
  private mutating func define(
    _ shape: AvroType.Shape, _ json: JSONDocument, _ context: inout Context
  ) throws(Fault) -> AvroSchema.TypeID {
    let name = try json.required("name", context.path)
    guard let text = name.string, Self.isName(text, dotted: true) else {
      throw .expected(
        "a name", found: name, "\(context.path).name", remedy: "letters, digits and _, not starting with a digit")
    }
    if let dot = text.lastIndex(of: ".") {
      context.namespace = String(text[..<dot])
    } else if let namespace = json["namespace"] {
      guard let text = namespace.string, text.isEmpty || Self.isName(text, dotted: true) else {
        throw .expected(
          "a namespace", found: namespace, "\(context.path).namespace", remedy: "write names separated by dots")
      }
      context.namespace = text
    }
    let full = text.contains(".") ? text : Self.qualified(text, context.namespace)
    guard named[full] == nil, Self.primitives[full] == nil else {
      throw Fault(
        offset: name.range.lowerBound, message: "\(context.path).name: \"\(full)\" is defined already",
        remedy: "define it once, and use its name after that")
    }
    let namespace = context.namespace
    let aliases = try Self.aliases(json, context.path).map { $0.contains(".") ? $0 : Self.qualified($0, namespace) }
    let id = try add(AvroType(shape: shape, name: full, aliases: aliases), json)
    named[full] = id
    return id
  }

  private static func qualified(_ name: String, _ namespace: String) -> String {
    namespace.isEmpty ? name : "\(namespace).\(name)"
  }

  private static func aliases(_ json: JSONDocument, _ path: String) throws(Fault) -> [String] {
    guard let member = json["aliases"] else { return [] }
    guard case .array(let items) = member.content else {
      throw .expected("an array of names", found: member, "\(path).aliases", remedy: "write [\"old_name\"]")
    }
    var names: [String] = []
    for item in items {
      guard let name = item.string, isName(name, dotted: true) else {
        throw .expected("a name", found: item, "\(path).aliases", remedy: "write [\"old_name\"]")
      }
      names.append(name)
    }
    return names
  }

  static func isName(_ text: String, dotted: Bool) -> Bool {
    let parts = dotted ? text.split(separator: ".", omittingEmptySubsequences: false) : [text[...]]
    return parts.allSatisfy { part in
      guard let first = part.utf8.first, !(0x30...0x39).contains(first) else { return false }
      return part.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x61...0x7a).contains($0 | 0x20) || $0 == UInt8(ascii: "_")
      }
    }
  }

  private mutating func record(_ json: JSONDocument, _ context: Context) throws(Fault) -> AvroSchema.TypeID {
    var inner = context
    let id = try define(.record([]), json, &inner)
    let list = try json.required("fields", context.path)
    guard case .array(let items) = list.content else {
      throw .expected("an array of fields", found: list, "\(context.path).fields", remedy: "write [{\"name\": …}]")
    }
    var fields: [AvroField] = []
    var names: Set<String> = []
    for (index, item) in items.enumerated() {
      let step = inner.at(".fields[\(index)]")
      let field = try field(item, step)
      for name in [field.name] + field.aliases where !names.insert(name).inserted {
        throw Fault(
          offset: item.range.lowerBound, message: "\(step.path): the record has a field \"\(name)\" already",
          remedy: "give every field and every alias a name of its own")
      }
      fields.append(field)
    }
    types[id].shape = .record(fields)
    return id
  }

  private mutating func field(_ json: JSONDocument, _ context: Context) throws(Fault) -> AvroField {
    guard case .object = json.content else {
      throw .expected("a field", found: json, context.path, remedy: "write {\"name\": …, \"type\": …}")
    }
    let name = try json.required("name", context.path)
    guard let text = name.string, Self.isName(text, dotted: false) else {
      throw .expected(
        "a name", found: name, "\(context.path).name", remedy: "letters, digits and _, not starting with a digit")
    }
    let type = try self.type(try json.required("type", context.path), context.at(".type"))
    var field = AvroField(name: text, aliases: try Self.aliases(json, context.path), type: type)
    field.constraints = json["constraints"]
    if let value = json["default"] {
      var check = AvroDefault(types)
      guard check.matches(value, type) else {
        throw .expected(
          "a default of type \(types[type].title)", found: value, "\(context.path).default",
          remedy: "write a value of the field's type; of a union, of one of its branches")
      }
      field.defaultValue = value
    }
    return field
  }

  private mutating func enumeration(_ json: JSONDocument, _ context: Context) throws(Fault) -> AvroSchema.TypeID {
    let list = try json.required("symbols", context.path)
    guard case .array(let items) = list.content else {
      throw .expected("an array of symbols", found: list, "\(context.path).symbols", remedy: "write [\"A\", \"B\"]")
    }
    var symbols: [String] = []
    for item in items {
      guard let symbol = item.string, Self.isName(symbol, dotted: false), !symbols.contains(symbol) else {
        throw .expected(
          "a symbol of its own", found: item, "\(context.path).symbols",
          remedy: "letters, digits and _, not starting with a digit; each once")
      }
      symbols.append(symbol)
    }
    let standard = json["default"]
    if let standard, !symbols.contains(where: { $0 == standard.string }) {
      throw .expected(
        "one of the symbols", found: standard, "\(context.path).default", remedy: "write a symbol of this enum")
    }
    var inner = context
    return try define(.enumeration(symbols: symbols, default: standard?.string), json, &inner)
  }

  private mutating func fixed(_ json: JSONDocument, _ context: Context) throws(Fault) -> AvroSchema.TypeID {
    let size = try json.required("size", context.path)
    guard let bytes = size.integer, (0...Int64(1 << 20)).contains(bytes) else {
      throw .expected("a size in bytes", found: size, "\(context.path).size", remedy: "write 0 to 1048576")
    }
    var inner = context
    let shape = AvroType.Shape.fixed(sizeBytes: Int(bytes))
    let id = try define(shape, json, &inner)
    types[id].logical = AvroLogicalType(json, shape: shape)
    return id
  }
}

extension AvroSchemaParser.Fault {
  static func expected(_ expected: String, found: JSONDocument, _ path: String, remedy: String) -> Self {
    Self(
      offset: found.range.lowerBound, message: "\(path): found \(found.kind), expected \(expected)", remedy: remedy)
  }
}

extension JSONDocument {
  fileprivate func required(_ name: String, _ path: String) throws(AvroSchemaParser.Fault) -> JSONDocument {
    guard let value = self[name] else {
      throw .expected("a member \"\(name)\"", found: self, path, remedy: "add \"\(name)\"")
    }
    return value
  }
}
