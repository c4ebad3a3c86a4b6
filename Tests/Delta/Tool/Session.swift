internal import Columns
internal import Core
internal import Delta
internal import Glibc
internal import Storage

/// One call on one table.
struct Session {
  let arguments: Arguments
  let store: any BlobStore
  let root: BlobName
  var now: Int64 { WallClock.system.nowMilliseconds }

  init(_ arguments: Arguments) throws(HeadraceError) {
    self.arguments = arguments
    root = try BlobName(arguments.words[2])
    let place = arguments.words[1]
    if place.hasPrefix("s3://") {
      store = S3BlobStore(try S3Configuration(url: place, environment: Self.environment))
    } else {
      store = try DiskBlobStore(root: place)
    }
  }

  private static var environment: [String: String] {
    var found: [String: String] = [:]
    for name in [
      "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL",
      "AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "AWS_ALLOW_HTTP",
    ] {
      if let value = unsafe getenv(name) { found[name] = unsafe String(cString: value) }
    }
    return found
  }

  func table() throws(HeadraceError) -> DeltaTable {
    var moment = DeltaTable.Moment.newest
    if let version = try arguments.number("version") { moment = .version(version) }
    if let time = try arguments.number("timestamp") { moment = .timestamp(milliseconds: time) }
    guard let table = try DeltaTable.open(store, root, at: moment) else {
      throw HeadraceError(.user, "NO_TABLE", "there is no table", place: "\(store.place)/\(root)")
    }
    return table
  }

  func create() throws(HeadraceError) {
    let schema = try DeltaSchema(json: arguments["schema"] ?? "", place: "--schema")
    var properties: [String: String] = [:]
    for property in arguments.all("property") {
      let parts = property.split(separator: "=", maxSplits: 1).map(String.init)
      if parts.count == 2 { properties[parts[0]] = parts[1] }
    }
    _ = try DeltaTable.openOrCreate(
      store, root, schema: schema, partitionColumns: arguments.list("partition") ?? [], configuration: properties,
      nowMilliseconds: now)
  }

  func addColumns() throws(HeadraceError) {
    var table = try table()
    let wanted = try DeltaSchema(json: arguments["schema"] ?? "", place: "--schema")
    guard let schema = try table.snapshot.metadata.schema.adding(wanted.fields, table.place) else { return }
    var metadata = table.snapshot.metadata
    metadata.schema = schema
    print(try table.commit(.evolution(metadata), nowMilliseconds: now))
  }

  func append() throws(HeadraceError) {
    var table = try table()
    let writer = try TableWriter(table)
    var batch = ColumnBatch(try table.snapshot.metadata.schema.columnTypes(table.place))
    while let line = readLine() {
      try JSONRow.append(line, table.snapshot.metadata.schema, to: &batch)
      guard batch.rowCount == 4_096 else { continue }
      try writer.append(batch, nowMilliseconds: now)
      batch.removeAll()
    }
    if batch.rowCount > 0 { try writer.append(batch, nowMilliseconds: now) }
    var moves: [TransactionMove] = []
    var provenance: CommitProvenance?
    if let application = arguments["app"], let to = try arguments.number("to") {
      moves.append(TransactionMove(applicationID: application, from: try arguments.number("from"), to: to))
      var ours = CommitProvenance()
      ours.offsets = [.init(topic: application, partition: 0, offset: to)]
      provenance = ours
    }
    let files = try writer.finish(nowMilliseconds: now)
    print(try table.commit(.append(files, moves: moves, provenance: provenance), nowMilliseconds: now))
  }

  func read() throws(HeadraceError) {
    let table = try table()
    var conditions: [ColumnCondition] = []
    if let parts = arguments.list("where"), parts.count >= 2 {
      conditions.append(try JSONRow.condition(parts, table.snapshot.metadata.schema))
    }
    let scan = try TableScan(table, columns: arguments.list("columns"), where: conditions)
    var batch = ColumnBatch([])
    while try scan.next(into: &batch) {
      for row in 0..<batch.rowCount { print(JSONRow.text(batch, row, scan.fields)) }
    }
  }

  func describe() throws(HeadraceError) {
    let snapshot = try table().snapshot
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("version")
      writer.number(snapshot.version)
      writer.key("rows")
      if let rows = snapshot.rowCount { writer.number(rows) } else { writer.null() }
      writer.key("schema")
      writer.raw(snapshot.metadata.schema.json.utf8)
      writer.key("files")
      writer.array { writer in
        for file in snapshot.files { writer.string(file.path.name.text) }
      }
      writer.key("transactions")
      writer.object { writer in
        for transaction in snapshot.transactions {
          writer.key(transaction.applicationID)
          writer.number(transaction.version)
        }
      }
    }
    print(String(decoding: writer.bytes, as: UTF8.self))
  }

  func compact() throws(HeadraceError) {
    var table = try table()
    var policy = CompactionPolicy()
    if let bytes = try arguments.number("target-bytes") { policy.targetBytes = bytes }
    let begun = WallClock.monotonic.nowMilliseconds
    let outcome = try table.compact(policy, nowMilliseconds: now)
    print("\(outcome) \(WallClock.monotonic.nowMilliseconds - begun) ms")
  }

  var pins: [Int64] { (arguments.list("pin") ?? []).compactMap { Int64($0) } }

  func vacuum() throws(HeadraceError) {
    var table = try table()
    var policy = VacuumPolicy()
    policy.pinnedVersions = pins
    policy.retentionMilliseconds = try arguments.number("retention")
    policy.allowsShortRetention = true
    let report = try table.vacuum(policy, nowMilliseconds: now)
    print("deleted \(report.deleted.count) pinned \(report.pinned.count)")
  }

  func cleanUp() throws(HeadraceError) {
    print("deleted \(try table().cleanUpLog(nowMilliseconds: now, pinnedVersions: pins))")
  }
}
