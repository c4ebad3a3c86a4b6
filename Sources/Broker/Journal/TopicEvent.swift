/// What happened to the broker's topics, as the journal keeps it.
package enum TopicEvent: Sendable, Equatable {
  /// The first record of every journal: which cluster this folder is.
  case clusterFounded(id: String)
  case created(name: String, id: TopicID, partitionCount: Int32, overrides: [Setting])
  case partitionsAdded(name: String, partitionCount: Int32)
  /// All settings that the topic has from now on.
  case configured(name: String, overrides: [Setting])
  case deleted(name: String, id: TopicID)

  /// A topic-level setting by Kafka's name.
  package struct Setting: Sendable, Equatable {
    package var name: String
    package var value: String
  }
}

extension TopicEvent {
  private enum Kind: UInt8 {
    case clusterFounded = 1
    case created, partitionsAdded, configured, deleted
  }

  func encode(into encoder: inout JournalEncoder) {
    switch self {
    case .clusterFounded(let id):
      encoder.write(kind: Kind.clusterFounded.rawValue)
      encoder.write(id)
    case .created(let name, let id, let partitionCount, let overrides):
      encoder.write(kind: Kind.created.rawValue)
      encoder.write(name)
      encoder.write(id)
      encoder.write(partitionCount)
      encoder.write(list: overrides) { $0.write($1) }
    case .partitionsAdded(let name, let partitionCount):
      encoder.write(kind: Kind.partitionsAdded.rawValue)
      encoder.write(name)
      encoder.write(partitionCount)
    case .configured(let name, let overrides):
      encoder.write(kind: Kind.configured.rawValue)
      encoder.write(name)
      encoder.write(list: overrides) { $0.write($1) }
    case .deleted(let name, let id):
      encoder.write(kind: Kind.deleted.rawValue)
      encoder.write(name)
      encoder.write(id)
    }
  }

  init(from decoder: inout JournalDecoder) throws(JournalDecodingError) {
    let raw = try decoder.readKind()
    switch Kind(rawValue: raw) {
    case .clusterFounded: self = .clusterFounded(id: try decoder.readString())
    case .created:
      self = .created(
        name: try decoder.readString(), id: try decoder.readTopicID(), partitionCount: try decoder.readInt32(),
        overrides: try decoder.readSettings())
    case .partitionsAdded:
      self = .partitionsAdded(name: try decoder.readString(), partitionCount: try decoder.readInt32())
    case .configured: self = .configured(name: try decoder.readString(), overrides: try decoder.readSettings())
    case .deleted: self = .deleted(name: try decoder.readString(), id: try decoder.readTopicID())
    case nil: throw .unknownKind(raw)
    }
  }
}

extension JournalEncoder {
  fileprivate mutating func write(_ id: TopicID) {
    write(id.high)
    write(id.low)
  }

  fileprivate mutating func write(_ setting: TopicEvent.Setting) {
    write(setting.name)
    write(setting.value)
  }
}

extension JournalDecoder {
  fileprivate mutating func readTopicID() throws(JournalDecodingError) -> TopicID {
    TopicID(high: try readUInt64(), low: try readUInt64())
  }

  fileprivate mutating func readSettings() throws(JournalDecodingError) -> [TopicEvent.Setting] {
    try readList { decoder throws(JournalDecodingError) in
      TopicEvent.Setting(name: try decoder.readString(), value: try decoder.readString())
    }
  }
}
