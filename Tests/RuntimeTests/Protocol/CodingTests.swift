import Core
import Testing

@testable import OfflineStore
@testable import Runtime

/// What the runtime writes to disks and topics comes back as it was, and damage is an error.
@Suite struct CodingTests {
  private static func record() -> CheckpointRecord {
    var source = CheckpointRecord.SourceRecord(source: "payments")
    source.watermark = 1_700_000_000_000
    source.digest.add(offset: 3, outcome: .applied, keyHash: 9)
    source.counts.read = 5
    source.counts.misplaced = 2
    var input = CheckpointRecord.InputRecord(topic: "payments", nextOffset: 42)
    input.sources = [source]
    input.witness = RecordWitness(offset: 41, hash: 7)
    var deltas = CheckpointRecord.InputRecord(topic: "pay.by_shop.repartition", nextOffset: 9)
    var upstream = UpstreamWatermark()
    upstream.watermark = 12
    upstream.settled = 11
    upstream.isIdle = true
    deltas.upstreams = [UpstreamWatermark(), upstream]
    deltas.settledWatermark = 10
    var record = CheckpointRecord(
      planFingerprint: 0xfeed, inputs: [input, deltas], views: [1, 2],
      bootstraps: [.init(fingerprint: 3, input: input)])
    record.spool.segments = [
      .init(
        number: 7, sizeBytes: 4_096,
        tables: [
          .init(table: "events/payments", offsets: 40..<42, rowCount: 2, watermarkMilliseconds: 1_700_000_000_000),
          .init(table: "features/by_user", offsets: 0..<42, rowCount: 0),
        ])
    ]
    return record
  }

  @Test func `a checkpoint comes back as it was`() throws {
    let bytes = Self.record().encoded()
    #expect(unsafe try CheckpointRecord(decoding: bytes.span.bytes, place: "test") == Self.record())
  }

  @Test func `a damaged checkpoint is an error and no crash`() {
    let bytes = Self.record().encoded()
    for count in 0..<bytes.count {
      let cut = Array(bytes[..<count])
      #expect(throws: HeadraceError.self) {
        _ = unsafe try CheckpointRecord(decoding: cut.span.bytes, place: "test")
      }
    }
    var random = SplitMix64(seed: 1)
    for _ in 0..<2_000 {
      var changed = bytes
      changed[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      _ = unsafe try? CheckpointRecord(decoding: changed.span.bytes, place: "test")
    }
  }

  @Test func `the metadata of a commit is ASCII and comes back`() {
    let metadata = CommitMetadata(planFingerprint: 1, digest: .max)
    #expect(metadata.text == "hr1 0000000000000001 ffffffffffffffff")
    #expect(CommitMetadata(metadata.text) == metadata)
    for text in ["", "hr2 0000000000000001 ffffffffffffffff", "hr1 1 2", "hr1 0000000000000001", "someone else's"] {
      #expect(CommitMetadata(text) == nil, "\(text)")
    }
  }

  @Test func `a digest tells every difference and no cut of batches`() {
    func digest(_ records: [(Int64, Outcome, UInt64)]) -> UInt64 {
      var digest = InputDigest()
      for (offset, outcome, key) in records { digest.add(offset: offset, outcome: outcome, keyHash: key) }
      return digest.value
    }
    let records: [(Int64, Outcome, UInt64)] = [(0, .applied, 5), (1, .late, 6), (4, .applied, 5)]
    #expect(digest(records) == digest(records))
    #expect(digest(records) != digest([(0, .applied, 5), (1, .applied, 6), (4, .applied, 5)]))
    #expect(digest(records) != digest([(0, .applied, 5), (2, .late, 6), (4, .applied, 5)]))
    #expect(digest(records) != digest([(0, .applied, 5), (1, .late, 7), (4, .applied, 5)]))
    #expect(digest(records) != digest(Array(records.dropLast())))
  }

  @Test func `the envelope of a delta comes back, and a broken one is an error`() throws {
    let envelope = DeltaEnvelope(
      partition: 3, firstOffset: 10, nextOffset: 20, watermark: 99, view: 0xabc, isIdle: true, hasRow: false)
    var writer = ByteWriter()
    envelope.write(to: &writer)
    #expect(writer.bytes.count == DeltaEnvelope.sizeBytes)
    #expect(unsafe try DeltaEnvelope(decoding: writer.bytes.span.bytes) == envelope)
    let longer = writer.bytes + [0]
    #expect(throws: HeadraceError.self) { _ = unsafe try DeltaEnvelope(decoding: longer.span.bytes) }
    let shorter = Array(writer.bytes.dropLast())
    #expect(throws: HeadraceError.self) { _ = unsafe try DeltaEnvelope(decoding: shorter.span.bytes) }
  }

  @Test func `every kill point has a name of its own`() {
    let names = RuntimeKillPoint.allCases.map(\.rawValue)
    #expect(Set(names).count == names.count && names.allSatisfy { $0.hasPrefix("runtime.") })
  }
}
