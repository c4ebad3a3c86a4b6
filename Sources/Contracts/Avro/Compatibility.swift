/// Whether two versions of a schema can live in one topic, in the words of Confluent's registry.
package enum Compatibility: String, Sendable, CaseIterable {
  /// Consumers of the new version read what producers of the old one wrote.
  case backward = "BACKWARD"
  /// Consumers of the old version read what producers of the new one write.
  case forward = "FORWARD"
  case full = "FULL"

  /// - Returns: what stands in the way; empty when nothing does.
  package func check(old: AvroSchema, new: AvroSchema) -> [Incompatibility] {
    switch self {
    case .backward: Self.reading(new, written: old)
    case .forward: Self.reading(old, written: new)
    case .full: Self.reading(new, written: old) + Self.reading(old, written: new)
    }
  }

  /// Why values of `writer` cannot be read as `reader` (Avro 1.12, schema resolution).
  package static func reading(_ reader: AvroSchema, written writer: AvroSchema) -> [Incompatibility] {
    var check = ReadabilityCheck(writer: writer, reader: reader)
    check.compare(writer.root, reader.root, "", depth: 0)
    return check.found
  }
}

/// One reason why two schemas do not go together.
package struct Incompatibility: Equatable, Sendable, CustomStringConvertible {
  /// The dotted path of the field, `[]` for items of an array, `{}` for values of a map; empty for the schema itself.
  package var path: String
  package var message: String

  package var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

private struct ReadabilityCheck {
  let writer: AvroSchema
  let reader: AvroSchema
  var found: [Incompatibility] = []
  /// Pairs of named types that are being compared, or were: a type may contain itself.
  private var seen: Set<[Int]> = []
  private static let foundMax = 100

  init(writer: AvroSchema, reader: AvroSchema) {
    self.writer = writer
    self.reader = reader
  }

  private mutating func report(_ path: String, _ message: String) {
    if found.count < Self.foundMax { found.append(Incompatibility(path: path, message: message)) }
  }

  mutating func compare(_ from: AvroSchema.TypeID, _ to: AvroSchema.TypeID, _ path: String, depth: Int) {
    guard depth < AvroSchema.graphDepthMax else { return report(path, "nested too deep to be compared") }
    guard seen.insert([from, to]).inserted || depth == 0 else { return }
    if case .union(let branches) = writer.types[from].shape {
      for branch in branches { compare(branch, to, path, depth: depth + 1) }
      return
    }
    let (source, target) = (writer.types[from], reader.types[to])
    switch (source.shape, target.shape) {
    case (_, .union(let branches)):
      guard let branch = AvroResolution.branch(of: branches, reader, for: from, writer) else {
        let types = branches.map { reader.types[$0].title }.joined(separator: ", ")
        return report(path, "the reader has no branch for the writer's \(source.title); it has \(types)")
      }
      compare(from, branch, path, depth: depth + 1)
    case (.null, .null): break
    case (.array(let item), .array(let wanted)): compare(item, wanted, path + "[]", depth: depth + 1)
    case (.map(let item), .map(let wanted)): compare(item, wanted, path + "{}", depth: depth + 1)
    case (.record(let fields), .record(let wanted)):
      guard AvroResolution.namesAgree(source, target) else { return names(source, target, path) }
      compare(fields, wanted, path, depth: depth)
    case (.enumeration(let symbols, _), .enumeration(let wanted, let fallback)):
      guard AvroResolution.namesAgree(source, target) else { return names(source, target, path) }
      let missing = symbols.filter { !wanted.contains($0) }
      guard missing.isEmpty || fallback != nil else {
        return report(path, "the reader's enum has no \(missing.joined(separator: ", ")) and no default")
      }
    case (.fixed(let size), .fixed(let wanted)):
      guard AvroResolution.namesAgree(source, target) else { return names(source, target, path) }
      if size != wanted { return report(path, "the writer's fixed has \(size) bytes, the reader's \(wanted)") }
      scalar(from, to, path)
    default: scalar(from, to, path)
    }
  }

  private mutating func names(_ source: AvroType, _ target: AvroType, _ path: String) {
    report(path, "the writer calls it \(source.title), the reader \(target.title), and no alias says that they are one")
  }

  private mutating func scalar(_ from: AvroSchema.TypeID, _ to: AvroSchema.TypeID, _ path: String) {
    guard AvroScalar(writer, from, reader, to) == nil else { return }
    let (source, target) = (writer.types[from], reader.types[to])
    if case .decimal(_, let scale) = source.logical, case .decimal(_, let wanted) = target.logical, scale != wanted {
      return report(path, "the writer's decimal has \(scale) digits behind the point, the reader's \(wanted)")
    }
    report(path, "the writer's \(source.title) cannot be read as \(target.title)")
  }

  private mutating func compare(_ fields: [AvroField], _ wanted: [AvroField], _ path: String, depth: Int) {
    for field in wanted {
      let inner = path.isEmpty ? field.name : "\(path).\(field.name)"
      if let match = AvroResolution.writerField(for: field, among: fields) {
        compare(match.type, field.type, inner, depth: depth + 1)
      } else if field.defaultValue == nil {
        report(inner, "the writer has no such field, and the reader has no default for it")
      }
    }
  }
}
