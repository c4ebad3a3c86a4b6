import Columns
import Core
import Storage
import Testing

@testable import Delta

/// Logs that somebody made to do harm: an error with the file and the place, or a table, in memory that the files' own
/// sizes bound.
@Suite struct HostileLogTests {
  private let store = MemoryBlobStore()

  private func name(_ text: String) throws -> BlobName { try BlobName("\(TestTable.root)/_delta_log/\(text)") }

  @Test(arguments: [
    "../x", "a/../../x", "..", "%2e%2e/x", "a/%2E%2E/%2e%2e/x", "..%2fx", "%2Fetc%2Fpasswd", "/etc/passwd", "//host/x",
    "file:/etc/passwd", "file:///etc/passwd", "s3://other/x", "a//b", "a/./b", "", "%00", "a%0ab", "%c0%ae%c0%ae/x",
  ])
  func `a path that leads out of the table is refused wherever it stands`(path: String) throws {
    let refusals: Set = ["DELTA_LOG_CORRUPT", "DELTA_UNSUPPORTED"]
    let error = #expect(throws: HeadraceError.self) { try DataFilePath(written: path, "file.json:3") }
    #expect(error.map { refusals.contains($0.code) } == true && error?.place == "file.json:3")
    for action in ["add", "remove"] {
      let store = MemoryBlobStore()
      let line =
        #"{"\#(action)":{"path":"\#(path)","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}"#
      try TestTable.put(store, version: 0, TestTable.protocolLine, TestTable.metadataLine, line)
      let error = #expect(throws: HeadraceError.self) { try TestTable.open(store) }
      #expect(error?.place?.hasSuffix("_delta_log/00000000000000000000.json:3") == true, "\(error?.place ?? "")")
    }
  }

  @Test func `what looks like an escape and is a plain name stays in the table`() throws {
    for path in ["%252e%252e/x", "...", "a..b", "..%20/x", "C:/x", "~/x", "\\\\..\\\\x"] {
      let name = try DataFilePath(written: path.replacing("\\\\", with: "%5C"), "").name
      #expect(!name.text.split(separator: "/").contains(".."))
    }
  }

  @Test func `versions that nobody can count to are no versions`() throws {
    var table = try TestTable.create(store)
    for text in [
      "09223372036854775807.json", "09223372036854775807.checkpoint.parquet", "99999999999999999999.json",
      "09223372036854775806.checkpoint.0000000001.9999999999.parquet",
    ] {
      try store.put(try name(text), Array("{".utf8))
    }
    #expect(try TestTable.open(store)?.snapshot.version == 0)
    try table.refresh()
    #expect(table.snapshot.version == 0)
    // The largest that counts: what lies between is missing, and nobody makes a list of it.
    try store.put(try name("04611686018427387903.json"), Array("{}".utf8))
    for body in [{ _ = try TestTable.open(store) }, { try table.refresh() }] as [() throws -> Void] {
      let error = #expect(throws: HeadraceError.self) { try body() }
      #expect(error?.code == "DELTA_LOG_GAP" && error?.message.contains("version 1 ") == true)
    }
    #expect(try TestTable.open(store, at: .version(0))?.snapshot.version == 0)
  }

  @Test func `huge sizes and counts cost nothing`() throws {
    let sizes = #""size":9223372036854775807,"modificationTime":9223372036854775807,"dataChange":true"#
    let statistics = #""stats":"{\"numRecords\":9223372036854775807}""#
    try TestTable.put(
      store, version: 0, TestTable.protocolLine, TestTable.metadataLine,
      #"{"add":{"path":"a","partitionValues":{},\#(sizes),\#(statistics)}}"#,
      #"{"add":{"path":"b","partitionValues":{},\#(sizes),\#(statistics)}}"#,
      #"{"txn":{"appId":"x","version":-9223372036854775808}}"#)
    let log = try name("00000000000000000000.json")
    try store.put(try BlobName("\(TestTable.root)/a"), [1, 2, 3])
    let table = try #require(try TestTable.open(store))
    #expect(table.snapshot.rowCount == nil)
    let scan = try TableScan(table)
    var batch = ColumnBatch(scan.types)
    let error = #expect(throws: HeadraceError.self) { try scan.next(into: &batch) }
    #expect(error?.place?.hasSuffix("\(TestTable.root)/a") == true, "\(error?.place ?? "")")
    var writer = table
    #expect(try writer.compact(nowMilliseconds: 1) == .nothingToDo)
    #expect(try store.entry(log) != nil)
  }

  @Test func `a checkpoint that ends early is named, with no log to replace it`() throws {
    var table = try TestTable.create(store)
    var random = SplitMix64(seed: 3)
    for _ in 0..<3 { try table.append(TestRow.random(count: 5, using: &random)) }
    try table.checkpoint(nowMilliseconds: 7)
    for version in 0...Int64(3) { try store.delete([name(LogName.commit(version).text)]) }
    let checkpoint = try name(LogName.checkpoint(3, part: 1, parts: 1).text)
    let whole = try #require(try store.read(checkpoint, bytesMax: 1 << 20))
    for count in [0, 4, 11, whole.count / 2, whole.count - 9, whole.count - 1] {
      try store.put(checkpoint, Array(whole.prefix(count)))
      let error = #expect(throws: HeadraceError.self) { try TestTable.open(store) }
      #expect(error?.place?.contains(checkpoint.text) == true, "\(count) bytes: \(error.map { "\($0)" } ?? "")")
    }
  }

  @Test func `one that claims more parts than there are does not count`() throws {
    var table = try TestTable.create(store)
    _ = try table.commit(.append([TestTable.file("a")]), nowMilliseconds: 1)
    for parts in ["0000000002", "9999999999"] {
      try store.put(try name("00000000000000000001.checkpoint.0000000001.\(parts).parquet"), [1])
    }
    try store.put(try name(LastCheckpoint.name), [UInt8](repeating: 0x20, count: LastCheckpoint.bytesMax + 1))
    #expect(try TestTable.open(store)?.snapshot.fileCount == 1)
  }
}
