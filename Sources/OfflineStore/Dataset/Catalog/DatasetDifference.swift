internal import Columns
package import Core

/// What differs between two datasets, and how much.
package struct DatasetDifference: Sendable {
  /// One line of the manifests that differs.
  package struct Change: Sendable, Equatable {
    /// `service`, `view carrier_departures`, `table events/departed`, `schema`, …
    package var what: String
    /// nil: it is not there.
    package var before: String?
    package var after: String?
  }

  package struct Example: Sendable, Equatable {
    package var key: String
    package var before: String
    package var after: String
  }

  /// A column that both have, and whose values differ for some label that both have.
  package struct Column: Sendable, Equatable {
    package var name: String
    package var rowCount: Int
    package var examples: [Example]
  }

  package var changes: [Change] = []
  /// Labels that both have, and those that only one has.
  package var commonRows = 0
  package var onlyBefore = 0
  package var onlyAfter = 0
  package var columns: [Column] = []

  package var isEmpty: Bool { changes.isEmpty && onlyBefore == 0 && onlyAfter == 0 && columns.isEmpty }

  static let examplesMax = 3
}

extension DatasetCatalog {
  /// Compares two datasets: by their manifests, then row by row. Rows belong together when all their label columns are
  /// equal; of labels that come several times, the first to the first.
  ///
  /// - Parameter otherCatalog: where the second one is.
  package func difference(
    _ before: Entry, _ after: Entry, in otherCatalog: DatasetCatalog
  ) throws(HeadraceError) -> DatasetDifference {
    var difference = DatasetDifference()
    difference.compare(before.manifest, after.manifest)
    // The hash is over everything that rows are made of.
    if before.manifest.contentHash == after.manifest.contentHash {
      difference.commonRows = before.manifest.rowCount
      return difference
    }
    var rows = try RowComparison(before, after)
    for part in before.manifest.split.parts {
      try forEachBatch(of: before, part: part) { (batch, names) throws(HeadraceError) in rows.addBefore(batch, names) }
    }
    for part in after.manifest.split.parts {
      try otherCatalog.forEachBatch(of: after, part: part) { (batch, names) throws(HeadraceError) in
        rows.addAfter(batch, names)
      }
    }
    rows.finish(into: &difference)
    return difference
  }
}

extension DatasetDifference {
  fileprivate mutating func compare(_ before: DatasetManifest, _ after: DatasetManifest) {
    add("service", before.service, after.service)
    add("service fingerprint", before.serviceFingerprint, after.serviceFingerprint)
    add("labels", Self.text(before.labels), Self.text(after.labels))
    add("label time", before.labelTime, after.labelTime)
    add("as known", "\(before.isAsKnown)", "\(after.isAsKnown)")
    add("split", before.split.text, after.split.text)
    add(
      "from", before.fromMilliseconds.map { RFC3339.text(milliseconds: $0) },
      after.fromMilliseconds.map { RFC3339.text(milliseconds: $0) })
    add(
      "to", before.toMilliseconds.map { RFC3339.text(milliseconds: $0) },
      after.toMilliseconds.map { RFC3339.text(milliseconds: $0) })
    compare("view", before.views.map { ($0.name, $0.fingerprint) }, after.views.map { ($0.name, $0.fingerprint) })
    compare("source", before.events.map { ($0.source, Self.text($0)) }, after.events.map { ($0.source, Self.text($0)) })
    compare("column", before.fields.map { ($0.name, $0.type) }, after.fields.map { ($0.name, $0.type) })
    add("rows", "\(before.rowCount)", "\(after.rowCount)")
    add("content hash", before.contentHash, after.contentHash)
  }

  private static func text(_ labels: LabelOrigin) -> String {
    let offsets = labels.offsets.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.upperBound)" }
    return "\(labels.kind.rawValue) \(labels.place)" + (labels.version.map { " version \($0)" } ?? "")
      + (offsets.isEmpty ? "" : " to \(offsets.joined(separator: ", "))")
  }

  private static func text(_ origin: EventOrigin) -> String {
    let offsets = origin.offsets.map { "\($0.name): \($0.offset)" }.joined(separator: ", ")
    return origin.table.map { "\($0) version \(origin.version) to \(offsets)" }
      ?? "topic \(origin.topic ?? "") to \(offsets)"
  }

  private mutating func add(_ what: String, _ before: String?, _ after: String?) {
    if before != after { changes.append(Change(what: what, before: before, after: after)) }
  }

  private mutating func compare(_ what: String, _ before: [(String, String)], _ after: [(String, String)]) {
    let (old, new) = (
      Dictionary(before, uniquingKeysWith: { first, _ in first }),
      Dictionary(after, uniquingKeysWith: { first, _ in first })
    )
    for (name, _) in before { add("\(what) \(name)", old[name], new[name]) }
    for (name, text) in after where old[name] == nil { add("\(what) \(name)", nil, text) }
  }
}

/// Rows of two datasets, brought together by their labels.
private struct RowComparison {
  private let labelNames: [String]
  private let featureNames: [String]
  private var before: [[Value]: [[Value]]] = [:]
  private var commonRows = 0
  private var onlyAfter = 0
  private var counts: [Int]
  private var examples: [[DatasetDifference.Example]]

  init(_ before: DatasetCatalog.Entry, _ after: DatasetCatalog.Entry) throws(HeadraceError) {
    let known = Set(after.manifest.fields.map(\.name))
    let common = before.manifest.fields.filter { known.contains($0.name) }
    labelNames = common.filter { $0.feature == nil }.map(\.name)
    featureNames = common.filter { $0.feature != nil }.map(\.name)
    guard !labelNames.isEmpty else {
      throw HeadraceError(
        .user, "DATASET_LABELS", "the two datasets have no label column in common",
        place: "\(before.name) and \(after.name)", remedy: "compare datasets of the same labels")
    }
    counts = featureNames.map { _ in 0 }
    examples = featureNames.map { _ in [] }
  }

  private static func values(_ batch: ColumnBatch, _ names: [String], _ wanted: [String], _ row: Int) -> [Value] {
    wanted.map { name in names.firstIndex(of: name).map { batch.columns[$0].value(row) } ?? .null }
  }

  mutating func addBefore(_ batch: ColumnBatch, _ names: [String]) {
    for row in 0..<batch.rowCount {
      let label = Self.values(batch, names, labelNames, row)
      before[label, default: []].append(Self.values(batch, names, featureNames, row))
    }
  }

  mutating func addAfter(_ batch: ColumnBatch, _ names: [String]) {
    for row in 0..<batch.rowCount {
      let label = Self.values(batch, names, labelNames, row)
      guard let waiting = before[label], !waiting.isEmpty else {
        onlyAfter += 1
        continue
      }
      before[label]?.removeFirst()
      commonRows += 1
      let values = Self.values(batch, names, featureNames, row)
      for index in featureNames.indices where !Self.isSame(waiting[0][index], values[index]) {
        counts[index] += 1
        guard examples[index].count < DatasetDifference.examplesMax else { continue }
        examples[index].append(
          .init(
            key: zip(labelNames, label).map { "\($0)=\(Self.text($1))" }.joined(separator: " "),
            before: Self.text(waiting[0][index]), after: Self.text(values[index])))
      }
    }
  }

  func finish(into difference: inout DatasetDifference) {
    difference.commonRows = commonRows
    difference.onlyAfter = onlyAfter
    difference.onlyBefore = before.values.reduce(0) { $0 + $1.count }
    for (index, name) in featureNames.enumerated() where counts[index] > 0 {
      difference.columns.append(.init(name: name, rowCount: counts[index], examples: examples[index]))
    }
  }

  private static func isSame(_ left: Value, _ right: Value) -> Bool {
    if case .double(let left) = left, case .double(let right) = right {
      return left == right || (left.isNaN && right.isNaN)
    }
    return left == right
  }

  private static func text(_ value: Value) -> String {
    switch value {
    case .null: "null"
    case .boolean(let flag): "\(flag)"
    case .integer(let number), .date(let number): "\(number)"
    case .timestamp(let microseconds): RFC3339.text(milliseconds: microseconds / 1_000)
    case .double(let number): "\(number)"
    case .string(let text): text
    case .bytes(let bytes): "\(bytes.count) bytes"
    case .decimal(let unscaled, let scale): "\(unscaled)e-\(scale)"
    case .list(let values): JSONListText.text(values)
    }
  }
}
