extension SchemaElement {
  /// A schema as the flat list that files hold: a root without a repetition in front.
  static func flattened(_ schema: ParquetSchema) -> [SchemaElement] {
    var root = SchemaElement()
    root.name = "schema"
    root.childCount = Int32(clamping: schema.fields.count)
    var elements = [root]
    for field in schema.fields { append(field, to: &elements) }
    return elements
  }

  private static func append(_ field: ParquetField, to elements: inout [SchemaElement]) {
    var element = SchemaElement()
    element.name = field.name
    element.repetition = field.repetition.rawValue
    element.fieldID = field.fieldID
    element.logicalType = field.logicalType
    element.convertedType = field.logicalType?.convertedType
    if case .decimal(let precision, let scale) = field.logicalType {
      element.precision = Int32(clamping: precision)
      element.scale = Int32(clamping: scale)
    }
    switch field.content {
    case .leaf(let type, let length):
      element.type = type.rawValue
      if type == .fixedLengthByteArray { element.typeLength = Int32(clamping: length) }
      elements.append(element)
    case .group(let children):
      element.childCount = Int32(clamping: children.count)
      elements.append(element)
      for child in children { append(child, to: &elements) }
    }
  }

  func write(to writer: inout CompactWriter) {
    if let type { writer.integer32(1, type) }
    if let typeLength { writer.integer32(2, typeLength) }
    if let repetition { writer.integer32(3, repetition) }
    writer.string(4, name)
    if let childCount { writer.integer32(5, childCount) }
    if let convertedType { writer.integer32(6, convertedType) }
    if let scale { writer.integer32(7, scale) }
    if let precision { writer.integer32(8, precision) }
    if let fieldID { writer.integer32(9, fieldID) }
    if let logicalType, logicalType.unionField != nil { writer.structure(10) { logicalType.write(to: &$0) } }
  }
}

extension ParquetLogicalType {
  /// Its field in the union `LogicalType`.
  var unionField: Int16? {
    switch self {
    case .string: 1
    case .map: 2
    case .list: 3
    case .enumeration: 4
    case .decimal: 5
    case .date: 6
    case .time: 7
    case .timestamp: 8
    case .integer: 10
    case .unknown: 11
    case .json: 12
    case .bson: 13
    case .uuid: 14
    case .float16: 15
    case .unsupported: nil
    }
  }

  func write(to writer: inout CompactWriter) {
    guard let unionField else { return }
    writer.structure(unionField) { writer in
      switch self {
      case .decimal(let precision, let scale):
        writer.integer32(1, Int32(clamping: scale))
        writer.integer32(2, Int32(clamping: precision))
      case .time(let unit, let isUTC), .timestamp(let unit, let isUTC):
        writer.boolean(1, isUTC)
        writer.structure(2) { writer in
          let field: Int16 =
            switch unit {
            case .milliseconds: 1
            case .microseconds: 2
            case .nanoseconds: 3
            }
          writer.structure(field) { _ in }
        }
      case .integer(let bits, let isSigned):
        writer.byte(1, Int8(clamping: bits))
        writer.boolean(2, isSigned)
      default: break
      }
    }
  }
}
