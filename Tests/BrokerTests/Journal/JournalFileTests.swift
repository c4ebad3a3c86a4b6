import Core
import Glibc
import Testing

@testable import Broker

@Suite struct JournalFileTests {
  private final class Folder {
    let path: String
    init() {
      var template = Array("/tmp/headrace-journal-XXXXXX".utf8CString)
      path = unsafe template.withUnsafeMutableBufferPointer { buffer in
        unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) }.map { unsafe String(cString: $0) } ?? "/tmp"
      }
    }
    deinit { DataFolder.remove(path) }

    var journal: String { "\(path)/journal" }

    func bytes() throws -> [UInt8] {
      let file = unsafe try #require(fopen(journal, "r"))
      defer { unsafe fclose(file) }
      var bytes = [UInt8](repeating: 0, count: 1 << 20)
      let count = unsafe fread(&bytes, 1, bytes.count, file)
      return Array(bytes[..<count])
    }

    func write(_ bytes: [UInt8]) throws {
      let file = unsafe try #require(fopen(journal, "w"))
      defer { unsafe fclose(file) }
      #expect(unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }
  }

  private let payloads: [[UInt8]] = [[1], [], Array(repeating: 9, count: 300), Array("last".utf8)]

  private func replayed(_ folder: Folder) throws -> [[UInt8]] {
    var found: [[UInt8]] = []
    _ = try JournalFile.open(path: folder.journal) { payload throws(HeadraceError) in found.append(Array(payload)) }
    return found
  }

  private func filled() throws -> Folder {
    let folder = Folder()
    var journal = try JournalFile.open(path: folder.journal) { _ throws(HeadraceError) in }
    for payload in payloads { try journal.append(payload) }
    return folder
  }

  @Test func whatWasAppendedComesBackInOrder() throws {
    let folder = try filled()
    #expect(try replayed(folder) == payloads)
  }

  /// A kill in the middle of a write leaves any prefix of the file: whole frames count, the rest is cut off, and the
  /// journal goes on from there.
  @Test func everyPrefixOpensWithItsWholeFrames() throws {
    let whole = try filled().bytes()
    for length in 0...whole.count {
      let folder = Folder()
      try folder.write(Array(whole[..<length]))
      let found = try replayed(folder)
      #expect(found == Array(payloads.prefix(found.count)), "cut at \(length)")
      var journal = try JournalFile.open(path: folder.journal) { _ throws(HeadraceError) in }
      try journal.append([42])
      #expect(try replayed(folder) == found + [[42]], "cut at \(length)")
    }
  }

  /// A changed byte in a frame that others follow is damage: nothing is served from such a folder and nothing is
  /// changed.
  @Test func damageInTheMiddleIsRefusedAndKept() throws {
    let whole = try filled().bytes()
    let lastPayload = payloads[3].count
    for position in 8..<whole.count - lastPayload {
      let folder = Folder()
      var damaged = whole
      damaged[position] ^= 0x40
      try folder.write(damaged)
      #expect(throws: HeadraceError.self, "byte \(position)") { try replayed(folder) }
      #expect(try folder.bytes() == damaged)
    }
  }

  /// A power failure may leave the file longer than what reached the disk.
  @Test func zerosAtTheEndAreCutOff() throws {
    let folder = try filled()
    try folder.write(try folder.bytes() + [UInt8](repeating: 0, count: 4_096))
    #expect(try replayed(folder) == payloads)
  }

  @Test func aFileOfSomebodyElseIsRefused() throws {
    let folder = Folder()
    try folder.write(Array("PRECIOUS DATA OF ANOTHER PROGRAM".utf8))
    #expect(throws: HeadraceError.self) { try replayed(folder) }
    #expect(try folder.bytes() == Array("PRECIOUS DATA OF ANOTHER PROGRAM".utf8))
  }

  @Test func aSnapshotTakesTheJournalsPlaceAndGrowsOn() throws {
    let folder = try filled()
    var journal = try JournalFile.open(path: folder.journal) { _ throws(HeadraceError) in }
    try journal.replace(with: [[7, 7]])
    try journal.append([8])
    #expect(try replayed(folder) == [[7, 7], [8]])
    #expect(journal.sizeBytes == Int64(try folder.bytes().count))
  }

  @Test func recordsThatBelongTogetherAreOneFrame() throws {
    let records: [JournalRecord] = [
      .topic(
        .created(
          name: "t", id: TopicID(high: 1, low: 2), partitionCount: 3, overrides: [.init(name: "a", value: "b")])),
      .group(.topicDeleted(topic: "t")),
      .transaction(.producerIDsReserved(end: 1_000)),
      .topic(.deleted(name: "t", id: TopicID(high: 1, low: 2))),
    ]
    let payload = JournalRecord.encode(records)
    #expect(try JournalRecord.decode(payload[...]).map { "\($0)" } == records.map { "\($0)" })
    for length in 0..<payload.count {
      #expect(throws: HeadraceError.self) { try JournalRecord.decode(payload[..<length]) }
    }
  }
}
