package import Core
internal import Columns
internal import Delta
internal import Features
package import Storage

/// The tables `served/<service>`, and `served/<view>` of reads that name no service: what was served, a row for each
/// value. Any number of workers append to them.
package enum ServedTable {
  private static let columns: [(name: String, type: ColumnType)] = [
    ("_vector", .integer),
    ("_served_at", .timestamp),
    ("_read_at", .timestamp),
    ("_watermark", .timestamp),
    ("service", .string),
    /// Null of what is of no view.
    ("view", .string),
    /// A JSON object: join keys.
    ("entity", .string),
    ("feature", .string),
    /// feature, request or on_demand.
    ("origin", .string),
    ("fingerprint", .string),
    /// `LogPrefix.text`.
    ("position", .string),
    /// Of the three at most one is set.
    ("value_integer", .integer),
    ("value_double", .double),
    ("value_text", .string),
    ("status", .string),
    /// What was served in the place of a null.
    ("default_value", .string),
  ]

  static let folder = "served"
  private static let servedAt = 1

  package static func name(_ subject: String) -> String { "\(folder)/\(subject)" }

  /// Which table a vector belongs to.
  static func subject(of vector: ServedVector) -> String { vector.service ?? vector.reads.first?.view ?? "none" }

  static func schema() throws(HeadraceError) -> DeltaSchema {
    try DeltaSchema(columns.map { DeltaField($0.name, DeltaType($0.type)) })
  }

  private static var types: [ColumnType] { columns.map(\.type) }
}

extension ServedTable {
  /// The rows of vectors, in the table's columns.
  static func batch(_ vectors: [ServedVector]) -> ColumnBatch {
    var batch = ColumnBatch(types)
    for vector in vectors {
      for read in vector.reads {
        for feature in read.features { append(vector, read, "feature", feature, to: &batch) }
      }
      for feature in vector.request { append(vector, nil, "request", feature, to: &batch) }
      for feature in vector.onDemand { append(vector, nil, "on_demand", feature, to: &batch) }
    }
    return batch
  }

  private static func append(
    _ vector: ServedVector, _ read: ServedVector.Read?, _ origin: String, _ feature: ServedVector.Feature,
    to batch: inout ColumnBatch
  ) {
    var values: [Value] = [
      .integer(vector.id), .timestamp(vector.servedMilliseconds &* 1_000), .null, .null,
      vector.service.map { .string($0) } ?? .null, .null, .null, .string(feature.name), .string(origin),
      .string(feature.fingerprint), .null, .null, .null, .null, .string(feature.status.rawValue),
      feature.servedDefault.map { .string($0.text) } ?? .null,
    ]
    if let read {
      values[2] = .timestamp(read.readMilliseconds &* 1_000)
      values[3] = read.watermarkMilliseconds.map { .timestamp($0 &* 1_000) } ?? .null
      values[5] = .string(read.view)
      values[6] = .string(EntityText.text(read.key))
      values[10] = .string(read.prefix.text)
    }
    switch feature.value {
    case .null: break
    case .integer(let number): values[11] = .integer(number)
    case .double(let bits): values[12] = .double(Double(bitPattern: bits))
    case .text(let text): values[13] = .string(text)
    }
    for (index, value) in values.enumerated() where !batch.columns[index].append(value) {
      batch.columns[index].appendNull()
    }
    batch.rowCount += 1
  }
}

extension ServedTable {
  /// Vectors that were served in a range of time, in the order in which they were.
  ///
  /// - Parameters:
  ///   - specification: knows the types of join keys; of a view that it does not have the key is text.
  ///   - limit: the most that are wanted; of more a sample that is spread evenly.
  /// - Returns: nothing when there is no table. Rows that contradict each other are left out, and counted.
  package static func read(
    _ subject: String, in store: any BlobStore, from: Int64?, to: Int64?, limit: Int?,
    _ specification: ParitySpecification
  ) throws(HeadraceError) -> (vectors: [ServedVector], brokenRows: Int) {
    guard let table = try DeltaTable.open(store, try BlobName(name(subject))) else { return ([], 0) }
    var conditions: [ColumnCondition] = []
    if let from { conditions.append(ColumnCondition("_served_at", .greaterOrEqual, .timestamp(from &* 1_000))) }
    if let to { conditions.append(ColumnCondition("_served_at", .less, .timestamp(to &* 1_000))) }
    let scan = try TableScan(table, columns: columns.map(\.name), where: conditions)
    guard scan.types == types else {
      throw HeadraceError(
        .user, "SERVED_TABLE_INVALID", "its columns are not those of a table of served values", place: table.place,
        remedy: "move it away: the workers make another one")
    }
    var reader = ServedRows(specification)
    var batch = ColumnBatch(types)
    while try scan.next(into: &batch) {
      for row in 0..<batch.rowCount {
        let time = batch.columns[servedAt].integers[row] / 1_000
        guard time >= from ?? .min, time < to ?? .max else { continue }
        reader.add(batch, row)
      }
      // Memory follows what is wanted, not what is there.
      if let limit, reader.vectors.count / 4 > limit &+ 1_000 {
        reader.thin()
      }
    }
    var vectors = reader.vectors.values.sorted { ($0.servedMilliseconds, $0.id) < ($1.servedMilliseconds, $1.id) }
    if let limit, limit < vectors.count {
      let all = vectors
      vectors = (0..<limit).map { all[$0 * all.count / limit] }
    }
    return (vectors, reader.brokenRows)
  }

  /// The services and views that something is logged of.
  package static func subjects(in store: any BlobStore) throws(HeadraceError) -> [String] {
    var names: Set<String> = []
    try store.forEach(in: try BlobName(folder)) { (entry) throws(HeadraceError) in
      let parts = entry.name.text.split(separator: "/")
      if parts.count > 2 { names.insert(String(parts[1])) }
    }
    return names.sorted()
  }
}

/// Join keys as a JSON object.
enum EntityText {
  static func text(_ key: [(name: String, value: Value)]) -> String {
    var writer = JSONWriter()
    writer.object { writer in
      for (name, value) in key {
        writer.key(name)
        if case .integer(let number) = value { writer.number(number) } else { writer.string(ServedValue(value).text) }
      }
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// - Returns: nil when it is no such object, or lacks a key.
  static func key(
    _ text: String, _ names: [String], _ types: [ColumnType]
  ) -> [(name: String, value: Value)]? {
    guard let document = try? JSONDocument(Array(text.utf8), depthMax: 2) else { return nil }
    var key: [(name: String, value: Value)] = []
    for (name, type) in zip(names, types) {
      guard let member = document[name] else { return nil }
      let found: ServedValue
      if let number = member.integer {
        found = .integer(number)
      } else if let text = member.string {
        switch type.storage {
        case .integers: found = Int64(text).map { .integer($0) } ?? .null
        case .doubles: found = Double(text).map { .double(bits: $0.bitPattern) } ?? .null
        default: found = .text(text)
        }
      } else {
        return nil
      }
      guard let value = found.value(of: type), value != .null else { return nil }
      key.append((name, value))
    }
    return key
  }
}
