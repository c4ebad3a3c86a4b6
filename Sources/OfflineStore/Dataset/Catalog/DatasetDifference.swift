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
    rows.turn()
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
