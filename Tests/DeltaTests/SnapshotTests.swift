import Columns
import Core
import Storage
import Testing

@testable import Delta

/// Logs of others: what can be read, what must be refused, and by which name.
@Suite struct SnapshotTests {
  private let store = MemoryBlobStore()

  private func refusal(_ lines: String...) throws -> HeadraceError? {
    let store = MemoryBlobStore()
    try TestTable.put(store, version: 0, TestTable.protocolLine, TestTable.metadataLine)
    try TestTable.put(store, version: 1, lines.joined(separator: "\n"))
    do {
      _ = try TestTable.open(store)
      return nil
    } catch let error as HeadraceError {
      return error
    }
  }

  @Test func `there is no table where there is no log`() throws {
    #expect(try TestTable.open(store) == nil)
  }

  @Test(arguments: [
    (#"{"protocol":{"minReaderVersion":2,"minWriterVersion":5}}"#, "columnMapping"),
    (
      #"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors","x"]}}"#,
      "deletionVectors, x"
    ), (#"{"protocol":{"minReaderVersion":9,"minWriterVersion":9}}"#, "reader version 9"),
    (
      #"{"add":{"path":"a","size":1,"modificationTime":1,"dataChange":true,"deletionVector":{"storageType":"u"}}}"#,
      "deletionVectors"
    ),
    (
      #"{"metaData":{"id":"x","format":{"provider":"orc"},"schemaString":"{}","configuration":{}}}"#,
      "orc"
    ),
    (
      #"{"add":{"path":"s3://other/a","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}"#,
      "outside"
    ),
    (
      #"{"add":{"path":"/etc/passwd","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}"#, "outside"
    ),
  ])
  func `what is not known is refused by its name`(line: String, name: String) throws {
    let error = try refusal(line)
    #expect(error?.code == "DELTA_UNSUPPORTED")
    #expect(error?.message.contains(name) == true, "\(error?.message ?? "")")
  }

  @Test(arguments: [
    "{", "[]", "7", #"{"add":7}"#, #"{"add":{"path":"a"}}"#,
    #"{"add":{"path":"../a","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}"#,
    #"{"add":{"path":"%2e%2e/a","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}"#,
    #"{"add":{"path":"a%0","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}"#,
    #"{"add":{"path":"a%00","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}"#,
    #"{"add":{"path":"a","partitionValues":{},"size":-1,"modificationTime":1,"dataChange":true}}"#,
    #"{"add":{"path":"a","partitionValues":{},"size":1e99,"modificationTime":1,"dataChange":true}}"#,
    #"{"add":{"path":"a","partitionValues":[],"size":1,"modificationTime":1,"dataChange":true}}"#,
    #"{"txn":{"appId":"a","version":"7"}}"#, #"{"protocol":{"minReaderVersion":1}}"#,
    #"{"metaData":{"id":"x","schemaString":"{\"type\":7}","partitionColumns":[],"configuration":{}}}"#,
    #"{"metaData":{"id":"x","schemaString":"[","partitionColumns":[],"configuration":{}}}"#,
  ])
  func `damaged lines are errors that name the file and the line`(line: String) throws {
    let error = try refusal(TestTable.protocolLine, line)
    #expect(error?.code == "DELTA_LOG_CORRUPT")
    #expect(error?.place?.contains("_delta_log/00000000000000000001.json:2") == true, "\(error?.place ?? "")")
  }

  @Test func `endless nesting is an error`() throws {
    #expect(try refusal(String(repeating: "[", count: 100_000))?.code == "DELTA_LOG_CORRUPT")
    #expect(try refusal(String(repeating: #"{"a":"#, count: 50_000))?.code == "DELTA_LOG_CORRUPT")
  }

  @Test func `unknown actions and fields are passed over`() throws {
    #expect(
      try refusal(
        "", #"{"domainMetadata":{"domain":"x","configuration":"","removed":false},"unknown":1}"#,
        #"{"cdc":{"path":"x"}}"#,
        #"{"txn":{"appId":"a","version":3,"more":[1]}}"#, "  ") == nil)
  }

  @Test func `a missing version is named`() throws {
    var table = try TestTable.create(store)
    for number in 1...5 { _ = try table.commit(.append([TestTable.file("\(number)")]), nowMilliseconds: 1) }
    try store.delete([BlobName("\(TestTable.root)/_delta_log/\(LogName.commit(3).text)")])
    let error = #expect(throws: HeadraceError.self) { try TestTable.open(store) }
    #expect(error?.code == "DELTA_LOG_GAP")
    #expect(error?.message.contains("version 3") == true)
    #expect(try TestTable.open(store, at: .version(2))?.snapshot.fileCount == 2)
  }

  @Test func `a table can be read as it was, by version and by time`() throws {
    let clock = TestClock()
    let store = MemoryBlobStore(clock: WallClock { clock.milliseconds })
    clock.milliseconds = 1_000
    var table = try TestTable.create(store)
    for number in 1...9 {
      // The clock goes back once; the log does not.
      clock.milliseconds = number == 5 ? 100 : Int64(1_000 * (number + 1))
      _ = try table.commit(.append([TestTable.file("\(number)")]), nowMilliseconds: clock.milliseconds)
    }
    for version in 0...9 {
      #expect(try TestTable.open(store, at: .version(Int64(version)))?.snapshot.fileCount == version)
    }
    #expect(try TestTable.open(store, at: .timestamp(milliseconds: 1_000))?.snapshot.version == 0)
    #expect(try TestTable.open(store, at: .timestamp(milliseconds: 3_999))?.snapshot.version == 2)
    #expect(try TestTable.open(store, at: .timestamp(milliseconds: 5_001))?.snapshot.version == 5)
    #expect(try TestTable.open(store, at: .timestamp(milliseconds: 99_999))?.snapshot.version == 9)
    #expect(throws: HeadraceError.self) { try TestTable.open(store, at: .timestamp(milliseconds: 999)) }
    #expect(throws: HeadraceError.self) { try TestTable.open(store, at: .version(10)) }
    #expect(throws: HeadraceError.self) { try TestTable.open(store, at: .version(-1)) }
  }

  @Test func `a hint that lies is only a hint`() throws {
    var table = try TestTable.create(store)
    _ = try table.commit(.append([TestTable.file("a")]), nowMilliseconds: 1)
    let name = try BlobName("\(TestTable.root)/_delta_log/_last_checkpoint")
    for text in [
      "", "{", #"{"version":1}"#, #"{"version":99}"#, #"{"version":-1}"#, #"{"version":9223372036854775807}"#,
    ] {
      try store.put(name, Array(text.utf8))
      #expect(try TestTable.open(store)?.snapshot.fileCount == 1, "\(text)")
    }
  }

  @Test func `tables of others can be written only if all their rules are known`() throws {
    let rules: [(String, String)] = [
      (#"{"protocol":{"minReaderVersion":1,"minWriterVersion":4}}"#, "checkConstraints, generatedColumns"),
      (
        #"{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["appendOnly","rowTracking"]}}"#,
        "rowTracking"
      ),
    ]
    for (line, name) in rules {
      let store = MemoryBlobStore()
      try TestTable.put(store, version: 0, line, TestTable.metadataLine)
      var table = try #require(try TestTable.open(store))
      let error = #expect(throws: HeadraceError.self) { try table.commit(.append([]), nowMilliseconds: 1) }
      #expect(error?.message.contains(name) == true, "\(error?.message ?? "")")
    }
  }

  @Test func `damaged logs are errors or tables, never a trap`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix64(seed: seed)
    var table = try TestTable.create(store, partitionColumns: ["day"])
    var file = try TestTable.file("day=2013-01-01/a", statistics: #"{"numRecords":3,"minValues":{"id":1}}"#)
    file.partitionValues = ["day": "2013-01-01"]
    _ = try table.commit(
      .append([file], moves: [TransactionMove(applicationID: "a", from: nil, to: 1)]), nowMilliseconds: 1)
    let names = try [Int64(0), 1].map { try BlobName("\(TestTable.root)/_delta_log/\(LogName.commit($0).text)") }
    let originals = try names.map { try #require(try store.read($0, bytesMax: 99_999)) }
    for _ in 0..<800 {
      let damaged = MemoryBlobStore()
      for (name, original) in zip(names, originals) {
        var bytes = original
        for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
          let at = Int.random(in: 0..<bytes.count, using: &random)
          switch Int.random(in: 0..<4, using: &random) {
          case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
          case 1: bytes.removeSubrange(at...)
          case 2: bytes.remove(at: at)
          default: bytes.insert(contentsOf: Array(#""{}[]:,-9e1\u"#.utf8).shuffled(using: &random).prefix(3), at: at)
          }
        }
        try damaged.put(name, bytes)
      }
      do {
        guard let table = try TestTable.open(damaged) else { continue }
        _ = table.snapshot.files(where: [ColumnCondition("id", .less, .integer(5)), ColumnCondition("day", .isNull)])
        _ = table.snapshot.rowCount
      } catch is HeadraceError {}
    }
  }
}

/// A clock in a test's hands.
final class TestClock: @unchecked Sendable {
  // One test, one thread.
  var milliseconds: Int64 = 0
}
