internal import Columns
internal import Core
internal import Delta
internal import Storage

/// Logs of Delta tables: commits, checkpoints, the hint that leads to them. What is read is a table, which a checkpoint
/// of ours keeps as it is; all else is an error that names a file of the log.
struct DeltaTarget: FuzzTarget {
  static let name = "delta"

  private static let root = "t"
  private static let commit = "t/_delta_log/00000000000000000001.json"
  private static let checkpoint = "t/_delta_log/00000000000000000007.checkpoint.parquet"
  private static let hint = "t/_delta_log/_last_checkpoint"

  /// A checkpoint begins as a Parquet file does; everything else is a commit, and a hint.
  private static func isCheckpoint(_ input: [UInt8]) -> Bool { input.starts(with: "PAR".utf8) }

  func execute(_ input: [UInt8]) throws(Violation) -> Signature {
    var signature = Signature()
    let store = MemoryBlobStore(clock: WallClock { 1_000 })
    do throws(HeadraceError) {
      if Self.isCheckpoint(input) {
        try store.put(try BlobName(Self.checkpoint), input)
      } else {
        try store.put(try BlobName("t/_delta_log/00000000000000000000.json"), Array(Self.creation.utf8))
        try store.put(try BlobName(Self.commit), input)
        try store.put(try BlobName(Self.hint), input)
      }
      guard let table = try DeltaTable.open(store, try BlobName(Self.root)) else { throw Violation.absent }
      try Self.look(at: table, &signature)
      if input.count % 8 == 0 { try Self.repeatFromCheckpoint(table, &signature) }
    } catch {
      guard error.code != Violation.absent.code else { throw Violation("there is a log, and no table") }
      guard error.code.hasPrefix("DELTA_") || error.code.hasPrefix("PARQUET_"), error.place?.isEmpty == false else {
        throw Violation("\(error)")
      }
      signature.add("\(error.code) \(error.message)".filter { !$0.isNumber && $0.isASCII })
    }
    return signature
  }

  private static func look(at table: DeltaTable, _ signature: inout Signature) throws(HeadraceError) {
    let snapshot = table.snapshot
    signature.add(Int(clamping: snapshot.version))
    signature.add(sizeClassOf: snapshot.fileCount)
    signature.add(sizeClassOf: snapshot.removedFiles.count)
    signature.add(sizeClassOf: snapshot.transactions.count)
    signature.add(snapshot.rowCount == nil ? 0 : 1)
    signature.add(sizeClassOf: snapshot.metadata.schema.fields.count)
    let conditions = [ColumnCondition("id", .less, .integer(5)), ColumnCondition("day", .isNull)]
    signature.add(sizeClassOf: snapshot.files(where: conditions).count)
    signature.add(sizeClassOf: try table.history(countMax: 4).count)
    for file in snapshot.files where file.path.name.text.split(separator: "/").contains("..") {
      throw Violation.escaped
    }
  }

  /// A table that can be written is the same from a checkpoint of ours.
  private static func repeatFromCheckpoint(
    _ table: DeltaTable, _ signature: inout Signature
  ) throws(HeadraceError) {
    do throws(HeadraceError) {
      try table.checkpoint(nowMilliseconds: 1_000)
    } catch {
      guard error.code == "DELTA_UNSUPPORTED" else { throw error }
      signature.add("not writable")
      return
    }
    let again = try DeltaTable.open(table.store, table.root)
    guard again?.snapshot.files.map(\.path) == table.snapshot.files.map(\.path),
      again?.snapshot.transactions == table.snapshot.transactions,
      again?.snapshot.metadata.schema == table.snapshot.metadata.schema
    else { throw Violation.changed }
  }

  func seeds() throws -> [Seed] {
    var seeds = [
      Seed(name: "commit", bytes: Array(Self.lines.utf8)), Seed(name: "hint", bytes: Array(Self.lastCheckpoint.utf8)),
    ]
    let store = MemoryBlobStore(clock: WallClock { 1_000 })
    try store.put(try BlobName("t/_delta_log/00000000000000000000.json"), Array(Self.creation.utf8))
    try store.put(try BlobName(Self.commit), Array(Self.lines.utf8))
    if let table = try DeltaTable.open(store, try BlobName(Self.root)) {
      try table.checkpoint(nowMilliseconds: 1_000)
      let name = try BlobName("t/_delta_log/00000000000000000001.checkpoint.parquet")
      if let bytes = try store.read(name, bytesMax: 1 << 20) { seeds.append(Seed(name: "checkpoint", bytes: bytes)) }
    }
    return seeds
  }
}

extension Violation {
  fileprivate static let absent = HeadraceError(.internal, "FUZZ_ABSENT", "there is a log, and no table")
  fileprivate static let escaped = HeadraceError(.internal, "FUZZ_ESCAPED", "a file lies outside of its table")
  fileprivate static let changed = HeadraceError(.internal, "FUZZ_CHANGED", "the checkpoint is another table")
}

// MARK: Seeds

extension DeltaTarget {
  private static let schema =
    #"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},"#
    + #"{\"name\":\"day\",\"type\":\"date\",\"nullable\":true,\"metadata\":{}},{\"name\":\"tags\",\"type\":"#
    + #"{\"type\":\"array\",\"elementType\":\"decimal(10,2)\",\"containsNull\":true},\"nullable\":true,"#
    + #"\"metadata\":{}}]}"#

  private static let creation =
    #"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"# + "\n"
    + #"{"metaData":{"id":"7b4f","format":{"provider":"parquet","options":{}},"schemaString":""# + schema
    + #"","partitionColumns":["day"],"configuration":{},"createdTime":1}}"#

  private static let lines = """
    {"commitInfo":{"timestamp":1700000000000,"operation":"WRITE","operationParameters":{"mode":"Append"}}}
    {"txn":{"appId":"flights/0","version":345,"lastUpdated":1700000000000}}
    {"metaData":{"id":"7b4f","format":{"provider":"parquet","options":{}},"schemaString":"\(schema)",\
    "partitionColumns":["day"],"configuration":{"delta.appendOnly":"false","delta.logRetentionDuration":\
    "interval 1 day"},"createdTime":1}}
    {"remove":{"path":"day=2013-01-01/a%20b.parquet","deletionTimestamp":1700000000000,"dataChange":true,"size":7}}
    {"add":{"path":"day=2013-01-01/part-1.parquet","partitionValues":{"day":"2013-01-01"},"size":841,\
    "modificationTime":1700000000000,"dataChange":true,"stats":"{\\"numRecords\\":3,\\"minValues\\":{\\"id\\":1},\
    \\"maxValues\\":{\\"id\\":9},\\"nullCount\\":{\\"id\\":0}}","tags":{"k":"v"}}}
    {"add":{"path":"day=__HIVE_DEFAULT_PARTITION__/part-2.parquet","partitionValues":{"day":null},"size":842,\
    "modificationTime":1700000000001,"dataChange":false}}
    """

  private static let lastCheckpoint = #"{"version":7,"size":12,"sizeInBytes":9000,"numOfAddFiles":2,"parts":1}"#
}
