internal import Core

extension GroupEvent {
  /// The first byte of an event. Numbers are never used again for something else.
  private enum Kind: UInt8 {
    case generationStarted = 1
    case offsetsCommitted = 2
    case offsetsStaged = 3
    case transactionEnded = 4
    case offsetsDeleted = 5
    case groupDeleted = 6
    case topicDeleted = 7
  }

  func encode(into encoder: inout JournalEncoder) {
    switch self {
    case .generationStarted(let groupID, let generation, let protocolType, let milliseconds):
      encoder.write(kind: Kind.generationStarted.rawValue)
      encoder.write(groupID)
      encoder.write(generation)
      encoder.write(protocolType)
      encoder.write(milliseconds)
    case .offsetsCommitted(let groupID, let offsets):
      encoder.write(kind: Kind.offsetsCommitted.rawValue)
      encoder.write(groupID)
      encoder.write(list: offsets) { $1.encode(into: &$0) }
    case .offsetsStaged(let groupID, let producerID, let offsets):
      encoder.write(kind: Kind.offsetsStaged.rawValue)
      encoder.write(groupID)
      encoder.write(producerID)
      encoder.write(list: offsets) { $1.encode(into: &$0) }
    case .transactionEnded(let producerID, let isCommitted):
      encoder.write(kind: Kind.transactionEnded.rawValue)
      encoder.write(producerID)
      encoder.write(isCommitted)
    case .offsetsDeleted(let groupID, let partitions):
      encoder.write(kind: Kind.offsetsDeleted.rawValue)
      encoder.write(groupID)
      encoder.write(list: partitions) { $0.write($1) }
    case .groupDeleted(let groupID):
      encoder.write(kind: Kind.groupDeleted.rawValue)
      encoder.write(groupID)
    case .topicDeleted(let topic):
      encoder.write(kind: Kind.topicDeleted.rawValue)
      encoder.write(topic)
    }
  }

  init(decoding decoder: inout JournalDecoder) throws(JournalDecodingError) {
    let byte = try decoder.readKind()
    guard let kind = Kind(rawValue: byte) else { throw .unknownKind(byte) }
    switch kind {
    case .generationStarted:
      self = .generationStarted(
        groupID: try decoder.readString(), generation: try decoder.readInt32(),
        protocolType: try decoder.readString(), milliseconds: try decoder.readInt64())
    case .offsetsCommitted:
      self = .offsetsCommitted(
        groupID: try decoder.readString(), offsets: try decoder.readList(Offset.init(decoding:)))
    case .offsetsStaged:
      self = .offsetsStaged(
        groupID: try decoder.readString(), producerID: try decoder.readInt64(),
        offsets: try decoder.readList(Offset.init(decoding:)))
    case .transactionEnded:
      self = .transactionEnded(producerID: try decoder.readInt64(), isCommitted: try decoder.readBool())
    case .offsetsDeleted:
      self = .offsetsDeleted(
        groupID: try decoder.readString(), partitions: try decoder.readPartitions())
    case .groupDeleted:
      self = .groupDeleted(groupID: try decoder.readString())
    case .topicDeleted:
      self = .topicDeleted(topic: try decoder.readString())
    }
  }
}

extension GroupEvent.Offset {
  fileprivate func encode(into encoder: inout JournalEncoder) {
    encoder.write(partition)
    encoder.write(committed.offset)
    encoder.write(committed.leaderEpoch)
    encoder.write(committed.metadata)
    encoder.write(committed.commitMilliseconds)
  }

  fileprivate init(decoding decoder: inout JournalDecoder) throws(JournalDecodingError) {
    partition = try decoder.readPartition()
    committed = CommittedOffset(
      offset: try decoder.readInt64(), leaderEpoch: try decoder.readInt32(), metadata: try decoder.readString(),
      commitMilliseconds: try decoder.readInt64())
  }
}

extension JournalEncoder {
  mutating func write(_ partition: TopicPartition) {
    write(partition.topic)
    write(partition.partition)
  }
}

extension JournalDecoder {
  mutating func readPartition() throws(JournalDecodingError) -> TopicPartition {
    TopicPartition(topic: try readString(), partition: try readInt32())
  }

  mutating func readPartitions() throws(JournalDecodingError) -> [TopicPartition] {
    try readList { decoder throws(JournalDecodingError) in try decoder.readPartition() }
  }
}
