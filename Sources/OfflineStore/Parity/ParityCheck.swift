internal import Columns
package import Core
internal import Delta
internal import Features
package import Storage

/// Makes served vectors again from the archive and holds them against what was served, bit for bit.
package final class ParityCheck {
  package struct Configuration: Sendable {
    /// Events in memory at a time.
    package var eventBytesMax = 256 << 20
    /// When they do not fit, entities are taken in parts, and the archive is read once for each; a view that would need
    /// more parts is left out.
    package var partCountMax = Int.max
    /// A view that has to read more of the archive than this is left out; nil: whatever it takes.
    package var archiveBytesMax: Int64?
    package var examplesPerKind = 1

    package init() {}
  }

  private let specification: ParitySpecification
  private let tables: any BlobStore
  private let configuration: Configuration
  private var opened: [String: DeltaTable] = [:]

  package init(
    _ specification: ParitySpecification, tables: any BlobStore, configuration: Configuration = Configuration()
  ) {
    self.specification = specification
    self.tables = tables
    self.configuration = configuration
  }

  /// Whether the archive has every record that a vector was made of.
  package func isArchived(_ vector: ServedVector) throws(HeadraceError) -> Bool {
    for read in vector.reads {
      guard let view = specification.view(named: read.view), view.table != nil else { continue }
      guard try isArchived(read, view) else { return false }
    }
    return true
  }

  /// What of a vector's reads was made again; nil where it could not be.
  typealias Replayed = [ReplayedRead?]

  package func run(_ vectors: [ServedVector]) throws(HeadraceError) -> ParityReport {
    opened = [:]
    var report = ParityReport(examplesPerKind: configuration.examplesPerKind)
    var replayed = vectors.map { Replayed(repeating: nil, count: $0.reads.count) }
    for view in specification.views { try replay(view, vectors, into: &replayed) }
    for (vector, replayed) in zip(vectors, replayed) {
      report.vectors += 1
      var values: [ParitySpecification.Input: FeatureValue] = [:]
      for (read, result) in zip(vector.reads, replayed) {
        try compare(read, result, vector, &values, &report)
      }
      OnDemandParity(specification, vector, values).compare(into: &report)
    }
    return report
  }

  private func compare(
    _ read: ServedVector.Read, _ result: ReplayedRead?, _ vector: ServedVector,
    _ values: inout [ParitySpecification.Input: FeatureValue], _ report: inout ParityReport
  ) throws(HeadraceError) {
    guard let view = specification.view(named: read.view) else {
      ReadParity.noteMissing(read, vector, &report)
      return
    }
    guard let result else {
      // A source that is not archived never will be.
      if view.table != nil, !(try isArchived(read, view)) {
        report.pending += Int64(read.features.count)
      } else {
        report.uncertain += Int64(read.features.count)
      }
      return
    }
    let parity = ReadParity(view, read, vector, result, specification.defaults[vector.service ?? ""] ?? [:])
    let chosen = parity.compare(into: &report)
    for (feature, value) in zip(view.point.features, chosen) {
      values[.feature(view: read.view, name: feature.name)] = value
    }
  }

  // MARK: The archive

  private func table(_ name: String) throws(HeadraceError) -> DeltaTable? {
    if let known = opened[name] { return known }
    let table = try DeltaTable.open(tables, try BlobName(name))
    opened[name] = table
    return table
  }

  private func isArchived(
    _ read: ServedVector.Read, _ view: ParitySpecification.View
  ) throws(HeadraceError) -> Bool {
    guard let name = view.table, let table = try table(name) else { return false }
    return read.prefix.parts.allSatisfy { part in
      let application = OfflineTable.applicationID(
        topology: specification.topology, topic: read.prefix.topic, partition: part.partition)
      return table.snapshot.transactionVersion(application) ?? 0 >= part.nextOffset
    }
  }

  private func replay(
    _ view: ParitySpecification.View, _ vectors: [ServedVector], into replayed: inout [Replayed]
  ) throws(HeadraceError) {
    guard let name = view.table, let table = try table(name) else { return }
    var replay = ViewReplay(view)
    var places: [(vector: Int, read: Int)] = []
    for (index, vector) in vectors.enumerated() {
      for (position, read) in vector.reads.enumerated() where read.view == view.point.name {
        guard read.prefix.topic == view.topic, try isArchived(read, view) else { continue }
        replay.add(read)
        places.append((index, position))
      }
    }
    guard !places.isEmpty, let scan = try Scan(table, view, replay.reads, configuration.archiveBytesMax) else { return }
    var partCount = 1
    var part = 0
    while part < partCount {
      replay.begin(part: part, of: partCount)
      guard try load(scan, into: &replay) else {
        guard partCount <= configuration.partCountMax / 2 else { return }
        // Too many events: smaller parts, from the beginning.
        partCount *= 2
        part = 0
        continue
      }
      for (index, result) in replay.results() { replayed[places[index].vector][places[index].read] = result }
      part += 1
    }
  }

  /// - Returns: false when the events are more than fit.
  private func load(_ scan: Scan, into replay: inout ViewReplay) throws(HeadraceError) -> Bool {
    let table = try TableScan(scan.table, columns: scan.columns, files: scan.files)
    var batch = ColumnBatch(table.types)
    while try table.next(into: &batch) {
      replay.add(batch)
      if replay.keptBytes > configuration.eventBytesMax, replay.canBeParted { return false }
    }
    return true
  }

  /// The files that may have events that the reads depend on.
  private struct Scan {
    var table: DeltaTable
    var columns: [String]
    var files: [DataFile]

    /// - Returns: nil when they are more than may be read.
    init?(
      _ table: DeltaTable, _ view: ParitySpecification.View, _ reads: [ServedVector.Read], _ sizeBytesMax: Int64?
    ) throws(HeadraceError) {
      self.table = table
      columns = view.fields.map(\.name) + EventArchive.decisions.map(\.name)
      var conditions: [ColumnCondition] = []
      if let reach = view.point.layout.reachMilliseconds, let first = reads.map(\.readMilliseconds).min() {
        let (from, overflows) = first.subtractingReportingOverflow(reach)
        let (microseconds, isTooFar) = from.multipliedReportingOverflow(by: 1_000)
        if !overflows, !isTooFar {
          conditions.append(ColumnCondition("_event_time", .greaterOrEqual, .timestamp(microseconds)))
        }
      }
      files = table.snapshot.files(where: conditions)
      let sizeBytes = files.reduce(Int64(0)) { $0 &+ $1.sizeBytes }
      if let sizeBytesMax, sizeBytes > sizeBytesMax { return nil }
    }
  }
}
