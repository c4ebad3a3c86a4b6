internal import Columns
internal import Contracts
internal import Core
internal import Kafka
internal import OfflineStore
internal import Topology

/// The predictions of one model, as rows of `predictions/<model>`.
final class PredictionArchiveReader: ArchiveRowReader {
  let fields = ModelArchive.predictionFields
  private let model: [UInt8]
  private let place: String
  private let text: AvroText
  private var reader: JSONFieldReader
  /// The documents of the records that are being read, and where each ends.
  private var json: [UInt8] = []
  private var ends: [UInt32] = []
  private var rows: [Int] = []

  init(_ plan: ModelPlan, _ stream: StreamModelPlan, schemas: any WriterSchemas) throws(HeadraceError) {
    model = Array(plan.name.utf8)
    place = plan.outputTopic
    let schema = stream.format == .json ? nil : try PredictionSchema(plan, stream, isShadow: false).schema()
    text = AvroText(stream.format.payload, schema: schema, schemas: schemas)
    let names = fields.dropLast(ModelArchive.record.count).map(\.name) + ["model"]
    reader = try JSONFieldReader(fields: names.map { FieldPath(name: $0) })
  }

  func read(
    _ records: borrowing ConsumedBatch, from offset: Int64, into batch: inout ColumnBatch
  ) throws(HeadraceError) {
    try collect(records, from: offset)
    guard !rows.isEmpty else { return }
    let json = json
    try reader.read(json.span, ends: ends)
    let count = fields.count - ModelArchive.record.count
    for (document, row) in rows.enumerated() where reader.fault(document: document) == nil {
      let name = reader.value(document: document, field: count)
      guard name.kind == .string, json[name.range].elementsEqual(model) else { continue }
      for field in 0..<count {
        Self.append(
          reader.value(document: document, field: field), of: json, fields[field].type, to: &batch.columns[field])
      }
      batch.finishRow(records[row], of: records.partition)
    }
  }

  /// The text of each record, a line each.
  private func collect(_ records: borrowing ConsumedBatch, from offset: Int64) throws(HeadraceError) {
    json.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    rows.removeAll(keepingCapacity: true)
    for index in records.indices where records[index].offset >= offset {
      guard let value = records[index].value else { continue }
      switch text.append(value, to: &json) {
      case .written:
        json.append(UInt8(ascii: "\n"))
        ends.append(UInt32(clamping: json.count))
        rows.append(index)
      case .broken: continue
      case .unavailable:
        throw HeadraceError(
          .external, "SCHEMA_NOT_HERE", "the schema of a prediction is not here yet", retry: .sameCall, place: place,
          remedy: "wait for the schema registry")
      }
    }
  }

  /// What has no place in a column of the type is null.
  private static func append(_ value: JSONValue, of json: [UInt8], _ type: ColumnType, to column: inout Column) {
    switch (type, value.kind) {
    case (.string, .string), (.string, .array): unsafe column.append(json.span.bytes.extracting(value.range))
    case (.string, .escapedString):
      var unescaped: [UInt8] = []
      JSONText.unescape(json.span.extracting(value.range), into: &unescaped)
      unsafe column.append(unescaped.span.bytes)
    case (.integer, .true), (.integer, .false): column.append(value.kind == .true)
    case (.integer, .integer), (.timestamp, .integer):
      guard let number = Int64(String(decoding: json[value.range], as: UTF8.self)) else { return column.appendNull() }
      column.append(type == .timestamp ? number.multipliedClamped(1_000) : number)
    case (.double, .integer), (.double, .decimal):
      guard let number = Double(String(decoding: json[value.range], as: UTF8.self)) else { return column.appendNull() }
      column.append(number)
    default: column.appendNull()
    }
  }
}
