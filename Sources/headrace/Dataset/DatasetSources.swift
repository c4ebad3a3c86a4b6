internal import Contracts
internal import Core
internal import Kafka
internal import OfflineStore
internal import Runtime
internal import Storage
internal import Topology

/// What a dataset is read from: labels, and the events of each source that its service needs.
struct DatasetSources: Sendable {
  let plan: Plan
  /// nil: there are no tables.
  let tables: (any BlobStore)?
  let client: ClientConfiguration
  /// The dataset that is made again; nil for a new one.
  let rebuilt: DatasetManifest?

  /// - Parameter name: a Parquet file, a table with or without `@VERSION`, a topic.
  func labels(_ name: String) throws(HeadraceError) -> any LabelSource {
    if let origin = rebuilt?.labels {
      switch origin.kind {
      case .parquet: return try ParquetLabels(path: origin.place)
      case .table: return try TableLabels(try requireTables(), name: origin.place, version: origin.version)
      case .topic: return try TopicLabels(plan, topic: origin.place, client: client, offsets: origin.offsets)
      }
    }
    if name.hasSuffix(".parquet") { return try ParquetLabels(path: name) }
    guard name.contains("/") else { return try TopicLabels(plan, topic: name, client: client, offsets: nil) }
    let parts = name.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard (try? BlobName(parts[0])) != nil else {
      throw HeadraceError(
        .user, "LABELS_INVALID", "neither a Parquet file nor a table has such a name", place: name,
        remedy: "give a file a name that ends with .parquet; tables are called events/NAME or labels/NAME")
    }
    guard parts.count == 1 || Int64(parts[1]) != nil else {
      throw HeadraceError(
        .user, "LABELS_INVALID", "\"\(parts[1])\" is no version of a table", place: name, remedy: "write NAME@VERSION")
    }
    return try TableLabels(
      try requireTables(), name: parts[0], version: parts.count == 2 ? Int64(parts[1]) : nil)
  }

  /// The events of every source, by its name: from the archive, or from the log when that is wanted or when it
  /// is not archived.
  ///
  /// - Throws: ARCHIVE_MISSING, LOG_INCOMPLETE.
  func events(
    of specification: DatasetSpecification, fromLog: Bool
  ) throws(HeadraceError) -> [String: any DatasetEvents] {
    var events: [String: any DatasetEvents] = [:]
    for view in specification.views where events[view.source] == nil {
      guard let index = plan.sources.firstIndex(where: { $0.name == view.source }) else { continue }
      let origin = rebuilt?.events.first { $0.source == view.source }
      let isFromLog = origin.map { $0.topic != nil } ?? (fromLog || !plan.sources[index].isArchived)
      guard !isFromLog else {
        events[view.source] = try logged(index, origin)
        continue
      }
      guard
        let archived = try ArchivedEvents(
          try requireTables(), source: view.source, fields: view.fields, version: origin?.version)
      else {
        throw HeadraceError(
          .user, "ARCHIVE_MISSING", "there is no table of archived events",
          place: "\(tables?.place ?? "")/\(EventArchive.name(source: view.source))",
          remedy: "run the topology with `archive: on` (the default), or read the log with --from-log")
      }
      events[view.source] = archived
    }
    return events
  }

  private func logged(_ index: Int, _ origin: EventOrigin?) throws(HeadraceError) -> any DatasetEvents {
    guard plan.sources[index].format != .avroConfluent else {
      throw HeadraceError(
        .user, "FORMAT_NOT_READ", "the log of avro-confluent sources is not read for datasets",
        place: "source \(plan.sources[index].name)", remedy: "archive the source (`archive: on`)")
    }
    var ends: [Int32: Int64]?
    if let origin {
      ends = [:]
      for (name, offset) in origin.offsets { if let partition = Int32(name) { ends?[partition] = offset } }
    }
    return try LoggedEvents(plan, source: index, client: client, ends: ends)
  }

  /// - Throws: TABLES_MISSING when nobody says where they are.
  func requireTables() throws(HeadraceError) -> any BlobStore {
    guard let tables else {
      throw HeadraceError(
        .user, "TABLES_MISSING", "nobody says where the tables are", remedy: "give --data DIR or --tables PLACE")
    }
    return tables
  }
}
