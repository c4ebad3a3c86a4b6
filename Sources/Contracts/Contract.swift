package import Columns
package import Core

/// What the events of a subject must look like: an Avro record, flattened into columns, and what may be in them.
package struct Contract: Sendable {
  /// `flights.departures`: the schema file's name without `.avsc`.
  package let subject: String
  package let schema: AvroSchema
  /// In the order of the schema; fields of nested records in place of the record.
  package let fields: [ContractField]
  private let positions: [String: Int]

  static let fieldsMax = 4_096

  /// - Parameters:
  ///   - json: the text of the schema file.
  ///   - file: what errors name.
  /// - Throws: what is wrong with the schema or its constraints, with line and column.
  package init(
    subject: String, json: [UInt8], file: String, references: [[UInt8]] = []
  ) throws(HeadraceError) {
    let schema = try AvroSchema(json: json, place: file, references: references)
    var flattening = Flattening(schema: schema, json: json)
    do throws(AvroSchemaParser.Fault) {
      fields = try flattening.fields()
    } catch {
      throw HeadraceError(
        .user, "CONTRACT_INVALID", error.message, place: AvroSchemaParser.place(error.offset, in: json, of: file),
        remedy: error.remedy)
    }
    self.subject = subject
    self.schema = schema
    positions = Dictionary(
      fields.enumerated().map { ($0.element.path, $0.offset) }, uniquingKeysWith: { first, _ in first })
  }

  /// The position of the field with this dotted path.
  package func index(of path: String) -> Int? { positions[path] }

  /// The path that somebody probably meant.
  package func nearestPath(to path: String) -> String? { NearestName.of(path, in: fields.map(\.path)) }

  /// Changes when anything that decides about values or about the dead-letter topic does: names, types, defaults,
  /// constraints.
  package var fingerprint: UInt64 {
    var text = schema.parsingCanonicalForm
    for field in fields {
      text += "\n\(field.path) \(field.type) \(field.isNullable) \(field.defaultValue.map { "\($0)" } ?? "-") "
      text += field.constraints.canonicalText
    }
    return RabinFingerprint.of(text.utf8)
  }
}

/// One column of a contract.
package struct ContractField: Sendable {
  /// `amount`, or `device.os` for a field of a nested record.
  package let path: String
  package let type: ColumnType
  /// Whether a valid record may have no value here.
  package let isNullable: Bool
  /// What a record without this field says; nil when it must have it, `.null` when that is what it says.
  package let defaultValue: Value?
  package let constraints: Constraints
  /// The field's type in the schema.
  package let schemaType: AvroSchema.TypeID
  let encoding: FieldEncoding
  /// The way to the field, outermost first; the last one is the field itself.
  let steps: [FieldStep]
}

/// One field on the way to a value.
struct FieldStep: Sendable {
  var name: String
  /// Whether this field may be null.
  var isNullable: Bool
  /// What the value is when this field is not there; nil when it must be.
  var valueWhenMissing: Value?
}

extension Constraints {
  fileprivate var canonicalText: String {
    let texts = allowedTexts.map { $0.map { String(decoding: $0, as: UTF8.self) }.debugDescription } ?? "-"
    return "\(isRequired) \(minimum.map { "\($0)" } ?? "-") \(maximum.map { "\($0)" } ?? "-") \(texts) "
      + "\(allowedIntegers.map { "\($0)" } ?? "-") \((pattern?.text ?? "-").debugDescription) "
      + "\(lengthMax.map { "\($0)" } ?? "-") \(allowsNaN)"
  }
}
