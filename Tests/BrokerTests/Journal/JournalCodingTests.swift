import Core
import Testing

@testable import Broker

@Suite("Journal: the coding of events")
struct JournalCodingTests {
  @Test("Numbers, texts and lists come back as they were")
  func roundTrip() throws {
    let integers: [Int64] = [0, 1, -1, 63, 64, -64, -65, 127, 128, .max, .min, 1 << 56]
    var encoder = JournalEncoder()
    for value in integers { encoder.write(value) }
    encoder.write(UInt64.max)
    encoder.write(Int32.min)
    encoder.write(Int16.max)
    encoder.write("Grüße, 世界")
    encoder.write("")
    encoder.write([0, 255] as [UInt8])
    encoder.write(true)
    encoder.write(list: ["a", "b"]) { $0.write($1) }
    var decoder = JournalDecoder(encoder.bytes)
    for value in integers { #expect(try decoder.readInt64() == value) }
    #expect(try decoder.readUInt64() == .max)
    #expect(try decoder.readInt32() == .min)
    #expect(try decoder.readInt16() == .max)
    #expect(try decoder.readString() == "Grüße, 世界")
    #expect(try decoder.readString() == "")
    #expect(try decoder.readBytes() == [0, 255])
    #expect(try decoder.readBool())
    let list = try decoder.readList { decoder throws(JournalDecodingError) in try decoder.readString() }
    #expect(list == ["a", "b"])
    #expect(decoder.isAtEnd)
  }

  @Test("Damaged fields throw what is wrong with them")
  func damage() {
    #expect(throws: JournalDecodingError.truncated) {
      var decoder = JournalDecoder([0x80])
      _ = try decoder.readUInt64()
    }
    #expect(throws: JournalDecodingError.numberOutOfRange) {
      var decoder = JournalDecoder(Array(repeating: 0xff, count: 11))
      _ = try decoder.readUInt64()
    }
    #expect(throws: JournalDecodingError.numberOutOfRange) {
      var decoder = JournalDecoder([0xff, 0xff, 0xff, 0xff, 0x7f])
      _ = try decoder.readInt16()
    }
    #expect(throws: JournalDecodingError.lengthOutOfRange(3)) {
      var decoder = JournalDecoder([3, 65, 66])
      _ = try decoder.readString()
    }
    #expect(throws: JournalDecodingError.invalidText) {
      var decoder = JournalDecoder([1, 0xff])
      _ = try decoder.readString()
    }
    #expect(throws: JournalDecodingError.unknownKind(200)) {
      var decoder = JournalDecoder([200])
      _ = try GroupEvent(decoding: &decoder)
    }
    #expect(throws: JournalDecodingError.numberOutOfRange) {
      var decoder = JournalDecoder([2])
      _ = try decoder.readBool()
    }
  }

  static let groupEvents: [GroupEvent] = {
    let offset = GroupEvent.Offset(
      partition: TopicPartition(topic: "flights", partition: 3),
      committed: CommittedOffset(offset: 42, leaderEpoch: -1, metadata: "plan 7", commitMilliseconds: 1_700_000_000_000)
    )
    return [
      .generationStarted(groupID: "g", generation: 7, protocolType: "consumer", milliseconds: 1),
      .offsetsCommitted(groupID: "g", offsets: [offset, offset]),
      .offsetsStaged(groupID: "g", producerID: 1_000, offsets: [offset]),
      .transactionEnded(producerID: 1_000, isCommitted: true),
      .offsetsDeleted(groupID: "g", partitions: [offset.partition]),
      .groupDeleted(groupID: "g"),
      .topicDeleted(topic: "flights"),
    ]
  }()

  static let transactionEvents: [TransactionEvent] = {
    let partitions = [TopicPartition(topic: "a", partition: 0), TopicPartition(topic: "b", partition: 9)]
    var transaction = Transaction(
      transactionalID: "app-1", producerID: 1_000, epoch: 3, timeoutMilliseconds: 60_000, updatedMilliseconds: 5)
    transaction.state = .prepareAbort
    transaction.partitions = Set(partitions)
    transaction.groups = ["g", "h"]
    transaction.startedMilliseconds = 4
    return [
      .producerIDsReserved(end: 2_000),
      .initialized(
        TransactionEvent.Initialization(
          transactionalID: "app-1", producerID: 1_000, epoch: 3, lastProducerID: -1, lastEpoch: 2,
          timeoutMilliseconds: 60_000, milliseconds: 9)),
      .partitionsAdded(transactionalID: "app-1", partitions: partitions, milliseconds: 9),
      .groupAdded(transactionalID: "app-1", groupID: "g", milliseconds: 9),
      .prepared(transactionalID: "app-1", isCommitted: true, epoch: 3, lastEpoch: -1, milliseconds: 9),
      .completed(transactionalID: "app-1", milliseconds: 9),
      .expired(transactionalID: "app-1"),
      .restored(transaction),
    ]
  }()

  @Test("Every event comes back as it was, also with bytes of a later version behind it", arguments: groupEvents)
  func groupEvent(_ event: GroupEvent) throws {
    var decoder = JournalDecoder(GroupHarness.encoded(event) + [1, 2, 3])
    #expect(try GroupEvent(decoding: &decoder) == event)
  }

  @Test("Every transaction event comes back as it was", arguments: transactionEvents)
  func transactionEvent(_ event: TransactionEvent) throws {
    var encoder = JournalEncoder()
    event.encode(into: &encoder)
    var decoder = JournalDecoder(encoder.bytes + [1, 2, 3])
    #expect(try TransactionEvent(decoding: &decoder) == event)
  }

  @Test("Cut short anywhere, an event throws")
  func truncation() {
    for event in Self.groupEvents {
      let bytes = GroupHarness.encoded(event)
      for length in 0..<bytes.count {
        #expect(GroupHarness.decoded(Array(bytes.prefix(length))) == nil, "\(event) at \(length)")
      }
    }
  }

  @Test("Any bytes give an event or an error, never a trap")
  func garbage() {
    var random = ScenarioRandom(seed: 20_26)
    for _ in 0..<20_000 {
      var bytes = random.bytes(upTo: 40)
      if !bytes.isEmpty { bytes[0] = UInt8(random.below(10)) }
      _ = GroupHarness.decoded(bytes)
      var decoder = JournalDecoder(bytes)
      if let event = try? TransactionEvent(decoding: &decoder) {
        var coordinator = TransactionCoordinator()
        coordinator.apply(event)
        _ = coordinator.nextDeadlineMilliseconds
        _ = coordinator.takeProducerID()
      }
    }
  }
}
