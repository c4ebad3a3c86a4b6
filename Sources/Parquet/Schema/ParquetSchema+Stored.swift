internal import Core

extension ParquetSchema {
  /// The tree of a flat list of elements, as a file holds it.
  init(stored elements: [SchemaElement]) throws(ParquetFault) {
    guard let root = elements.first, let count = root.childCount else { throw .corrupt("a schema without a root") }
    var next = 1
    let fields = try Self.fields(count, of: elements, from: &next, depth: 0)
    guard next == elements.count else { throw .corrupt("\(elements.count - next) fields that belong to no group") }
    do {
      try self.init(fields)
    } catch {
      throw .corrupt("\(error.place ?? "schema"): \(error.message)")
    }
  }

  private static func fields(
    _ count: Int32, of elements: [SchemaElement], from next: inout Int, depth: Int
  ) throws(ParquetFault) -> [ParquetField] {
    guard depth < maximumDepth else { throw .tooLarge("fields nested deeper than \(maximumDepth) levels") }
    guard count >= 0, Int(count) <= elements.count - next else {
      throw .corrupt("a group of \(count) fields where \(elements.count - next) follow")
    }
    var fields: [ParquetField] = []
    for _ in 0..<count {
      guard next < elements.count else { throw .corrupt("a schema that ends inside of a group") }
      let element = elements[next]
      next += 1
      fields.append(try field(element, of: elements, from: &next, depth: depth))
    }
    return fields
  }

  private static func field(
    _ element: SchemaElement, of elements: [SchemaElement], from next: inout Int, depth: Int
  ) throws(ParquetFault) -> ParquetField {
    guard let repetition = ParquetRepetition(rawValue: element.repetition ?? 0) else {
      throw .corrupt("field \(element.name): repetition \(element.repetition ?? 0)")
    }
    var logicalType = element.logicalType
    // 2 is MAP_KEY_VALUE: on the repeated group of a map it says nothing.
    if logicalType == nil, let converted = element.convertedType, converted != 2 || repetition != .repeated {
      logicalType = ParquetLogicalType(
        convertedType: converted, precision: element.precision, scale: element.scale)
    }
    if let code = element.type, element.childCount ?? 0 == 0 {
      guard let type = ParquetPhysicalType(rawValue: code) else {
        throw .corrupt("field \(element.name): physical type \(code)")
      }
      let length = type == .fixedLengthByteArray ? Int(element.typeLength ?? 0) : 0
      return ParquetField(
        name: element.name, repetition: repetition, content: .leaf(type, length: length),
        logicalType: readable(logicalType, type, length), fieldID: element.fieldID)
    }
    let children = try fields(element.childCount ?? 0, of: elements, from: &next, depth: depth + 1)
    return ParquetField(
      name: element.name, repetition: repetition, content: .group(children), logicalType: logicalType,
      fieldID: element.fieldID)
  }

  /// A type that contradicts its storage, such as a decimal of 76 digits, makes one column unreadable and not the file.
  private static func readable(
    _ logicalType: ParquetLogicalType?, _ type: ParquetPhysicalType, _ length: Int
  ) -> ParquetLogicalType? {
    guard case .decimal = logicalType else { return logicalType }
    let leaf = ParquetLeaf(
      index: 0, path: [], physicalType: type, length: length, logicalType: logicalType, repetition: .required,
      maximumDefinitionLevel: 0, maximumRepetitionLevel: 0)
    return leaf.contradiction.map { .unsupported($0) } ?? logicalType
  }
}
