package import Core
internal import Columns
internal import Delta
internal import Expressions
internal import Features
package import Storage

/// Makes training sets: the vector of a service at the time of each label, by the code that serves it.
///
/// Events come from the archive, which says of each what was decided when it was read, so nothing is decided twice.
/// Memory is bounded: when the events of all entities are too many, entities are taken in parts, and the archive is
/// read once for each.
package final class DatasetBuilder {
  package struct Configuration: Sendable {
    /// Events in memory at a time.
    package var eventBytesMax = 512 << 20
    package var split = DatasetSplit.none
    /// Whether an event counts only once it was known; without it, event time alone decides.
    package var isAsKnown = true
    /// Rows of labels outside of it are left out.
    package var fromMilliseconds: Int64?
    package var toMilliseconds: Int64?

    package init() {}
  }

  private let specification: DatasetSpecification
  private let tables: any BlobStore
  private let configuration: Configuration
  private var read: [DatasetManifest.Table] = []
  /// Outcomes of events that count.
  private let counting: [[UInt8]]

  package init(_ specification: DatasetSpecification, tables: any BlobStore, configuration: Configuration) {
    self.specification = specification
    self.tables = tables
    self.configuration = configuration
    // Who came too late was never part of what was known.
    counting = (["applied", "repaired"] + (configuration.isAsKnown ? [] : ["late"])).map { Array($0.utf8) }
  }

  /// Builds a dataset and writes it: data files first, the manifest last. Without manifest there is no dataset.
  ///
  /// - Parameters:
  ///   - target: an empty store, or one whose dataset of the same name is to be written for the first time.
  ///   - folder: in the store.
  /// - Throws: LABELS_INVALID, ARCHIVE_MISSING, DATASET_EXISTS.
  package func build(
    name: String, labels: DatasetLabels, labelTime: String, into target: any BlobStore, folder: BlobName?
  ) throws(HeadraceError) -> DatasetManifest {
    var labels = chosen(labels)
    let kept = try keptColumns(of: labels)
    var views: [[FeatureColumn]] = []
    for view in specification.views { views.append(try features(of: view, labels)) }
    let values = try ServiceVector(specification, labels: labels, views: views).columns()
    // A value of the request is a feature from here on.
    labels.keep(kept)
    var manifest = DatasetManifest(
      name: name, topology: specification.topology, service: specification.service,
      serviceFingerprint: specification.serviceFingerprint,
      views: specification.views.map { ($0.view.name, $0.fingerprint) }, tables: read, labels: labels.place,
      labelTime: labelTime, isAsKnown: configuration.isAsKnown, split: configuration.split,
      rowCount: labels.batch.rowCount, fields: [], files: [], contentHash: "")
    let keys = Set(specification.views.flatMap(\.joinKeys)).sorted()
    let writer = try DatasetWriter(labels: labels, keys: keys, features: values, target: target, folder: folder)
    try writer.write(split: configuration.split, into: &manifest)
    return manifest
  }

  private func chosen(_ labels: DatasetLabels) -> DatasetLabels {
    let (from, to) = (configuration.fromMilliseconds ?? .min, configuration.toMilliseconds ?? .max)
    guard from > .min || to < .max else { return labels }
    var chosen = labels
    let times = labels.timesMilliseconds
    chosen.batch.keep { row, _ in times[row] >= from && times[row] < to }
    chosen.timesMilliseconds = times.filter { $0 >= from && $0 < to }
    return chosen
  }

  /// The labels' columns that go along: all but those that the service takes as they are.
  ///
  /// - Throws: LABELS_INVALID when another one is called like a feature.
  private func keptColumns(of labels: DatasetLabels) throws(HeadraceError) -> [Int] {
    var kept: [Int] = []
    for (index, name) in labels.names.enumerated() {
      guard let feature = specification.features.first(where: { $0.name == name }) else {
        kept.append(index)
        continue
      }
      if case .request(name, _) = feature.origin { continue }
      throw HeadraceError(
        .user, "LABELS_INVALID", "column \"\(name)\" is called like a feature of the service", place: labels.place,
        remedy: "give the column another name")
    }
    return kept
  }

  /// The features of one view for all labels.
  private func features(
    of view: DatasetSpecification.View, _ labels: DatasetLabels
  ) throws(HeadraceError) -> [FeatureColumn] {
    var keyColumns: [Int] = []
    for (name, type) in zip(view.joinKeys, view.joinTypes) {
      keyColumns.append(try labels.column(name, type, neededFor: "view \(view.view.name)"))
    }
    var join = PointInTimeJoin(view.view)
    join.addLabels(labels.batch.columns, keyColumns: keyColumns, timesMilliseconds: labels.timesMilliseconds)
    var columns = view.view.features.map {
      FeatureColumn(name: $0.name, type: $0.type, rowCount: labels.batch.rowCount)
    }
    let table = try open(view)
    var partCount = 1
    var part = 0
    while part < partCount {
      join.begin(part: part, of: partCount)
      guard try load(table, view, into: &join, upTo: labels.timesMilliseconds.max() ?? .min) else {
        // Too many: smaller parts, from the beginning.
        partCount *= 2
        part = 0
        continue
      }
      join.read(into: &columns)
      part += 1
    }
    return columns
  }

  private func open(_ view: DatasetSpecification.View) throws(HeadraceError) -> DeltaTable {
    guard let table = try DeltaTable.open(tables, try BlobName(view.table)) else {
      throw HeadraceError(
        .user, "ARCHIVE_MISSING", "there is no table of archived events", place: "\(tables.place)/\(view.table)",
        remedy: "run the topology with `archive: on` (the default), until it has read what the labels need")
    }
    if !read.contains(where: { $0.name == view.table }) {
      let offsets = table.snapshot.transactions.map { ($0.applicationID, $0.version) }.sorted { $0.0 < $1.0 }
      read.append(.init(name: view.table, version: table.snapshot.version, offsets: offsets))
    }
    return table
  }

  /// - Returns: false when the events are more than fit.
  private func load(
    _ table: DeltaTable, _ view: DatasetSpecification.View, into join: inout PointInTimeJoin, upTo last: Int64
  ) throws(HeadraceError) -> Bool {
    let names = view.fields.map(\.name) + EventArchive.decisions.map(\.name)
    let conditions =
      configuration.isAsKnown
      ? [
        ColumnCondition("_known_at", .lessOrEqual, .timestamp(last.multipliedReportingOverflow(by: 1_000).partialValue))
      ]
      : []
    let scan = try TableScan(table, columns: names, where: conditions)
    var batch = ColumnBatch(scan.types)
    let fieldCount = view.fields.count
    var stamps: [EventStamp?] = []
    while try scan.next(into: &batch) {
      stamps.removeAll(keepingCapacity: true)
      for row in 0..<batch.rowCount { stamps.append(stamp(batch, row, from: fieldCount)) }
      join.addEvents(Array(batch.columns[..<fieldCount]), stamps: stamps)
      if join.eventCount > 1_000, join.eventCount * join.bytesPerEvent > configuration.eventBytesMax,
        join.canBeParted
      {
        return false
      }
    }
    return true
  }

  /// When an archived event counts; nil when it never does.
  private func stamp(_ batch: borrowing ColumnBatch, _ row: Int, from first: Int) -> EventStamp? {
    let outcome = batch.columns[first + EventArchive.outcomeDecision].text
    guard counting.contains(where: { outcome.bytes[outcome.range(row)].elementsEqual($0) }) else { return nil }
    let time = batch.columns[first].integers[row] / 1_000
    let known = batch.columns[first + 1]
    let isKnownLater = configuration.isAsKnown && known.isValid[row]
    return EventStamp(
      timeMilliseconds: time, knownMilliseconds: isKnownLater ? known.integers[row] / 1_000 : time,
      position: EventPosition(
        partition: Int32(truncatingIfNeeded: batch.columns[first + EventArchive.offsetDecision - 1].integers[row]),
        offset: batch.columns[first + EventArchive.offsetDecision].integers[row]))
  }
}
