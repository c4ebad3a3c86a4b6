internal import Columns
internal import Core
internal import Features

/// Puts vectors together again from the rows of their table.
struct ServedRows {
  private let specification: ParitySpecification
  private(set) var vectors: [Int64: ServedVector] = [:]
  private(set) var brokenRows = 0
  /// Ids of vectors that are kept have none of these bits.
  private var mask: Int64 = 0

  init(_ specification: ParitySpecification) { self.specification = specification }

  /// Forgets every second vector, here and in what follows: ids are random.
  mutating func thin() {
    mask = mask << 1 | 1
    vectors = vectors.filter { $0.key & mask == 0 }
  }

  mutating func add(_ batch: borrowing ColumnBatch, _ row: Int) {
    guard batch.columns[0].integers[row] & mask == 0 else { return }
    guard case .integer(let id) = batch.columns[0].value(row),
      case .timestamp(let served) = batch.columns[1].value(row),
      let name = Self.text(batch, 7, row), let origin = Self.text(batch, 8, row),
      let fingerprint = Self.text(batch, 9, row),
      let status = Self.text(batch, 14, row).flatMap({ FeatureStatus(rawValue: $0) })
    else {
      brokenRows += 1
      return
    }
    let feature = ServedVector.Feature(
      name: name, fingerprint: fingerprint, value: Self.value(batch, row), status: status,
      servedDefault: Self.text(batch, 15, row).map { .text($0) })
    var vector =
      vectors[id]
      ?? ServedVector(
        id: id, servedMilliseconds: served / 1_000, service: Self.text(batch, 4, row), reads: [], request: [],
        onDemand: [])
    switch origin {
    case "request": vector.request.append(feature)
    case "on_demand": vector.onDemand.append(feature)
    default:
      guard add(feature, to: &vector, batch, row) else {
        brokenRows += 1
        return
      }
    }
    vectors[id] = vector
  }

  private func add(
    _ feature: ServedVector.Feature, to vector: inout ServedVector, _ batch: borrowing ColumnBatch, _ row: Int
  ) -> Bool {
    guard let view = Self.text(batch, 5, row), let entity = Self.text(batch, 6, row),
      let prefix = Self.text(batch, 10, row).flatMap({ LogPrefix(text: $0) }),
      case .timestamp(let read) = batch.columns[2].value(row)
    else { return false }
    if let index = vector.reads.firstIndex(where: { $0.view == view }) {
      guard vector.reads[index].prefix == prefix else { return false }
      vector.reads[index].features.append(feature)
      return true
    }
    var watermark: Int64?
    if case .timestamp(let microseconds) = batch.columns[3].value(row) { watermark = microseconds / 1_000 }
    // Of a view that is gone the key is of no use but to be shown.
    var key: [(name: String, value: Value)]? = [("entity", .string(entity))]
    if let known = specification.view(named: view) { key = EntityText.key(entity, known.joinKeys, known.joinTypes) }
    guard let key else { return false }
    vector.reads.append(
      ServedVector.Read(
        view: view, key: key, readMilliseconds: read / 1_000, watermarkMilliseconds: watermark, prefix: prefix,
        features: [feature]))
    return true
  }

  private static func text(_ batch: borrowing ColumnBatch, _ column: Int, _ row: Int) -> String? {
    if case .string(let text) = batch.columns[column].value(row) { text } else { nil }
  }

  private static func value(_ batch: borrowing ColumnBatch, _ row: Int) -> ServedValue {
    for column in 11...13 where batch.columns[column].isValid[row] {
      return ServedValue(batch.columns[column].value(row))
    }
    return .null
  }
}
