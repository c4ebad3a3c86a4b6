internal import Core

/// One record of the journal: an event of one of the broker's state machines.
enum JournalRecord: Sendable {
  case topic(TopicEvent)
  case group(GroupEvent)
  case transaction(TransactionEvent)

  private enum Machine: UInt8 {
    case topic = 1
    case group, transaction
  }

  /// The payload of one journal frame, which is in the file as a whole or not at all: records that belong together.
  static func encode(_ records: [JournalRecord]) -> [UInt8] {
    var encoder = JournalEncoder()
    encoder.write(list: records) { $0.write($1.encoded()) }
    return encoder.bytes
  }

  static func decode(_ payload: ArraySlice<UInt8>) throws(HeadraceError) -> [JournalRecord] {
    var decoder = JournalDecoder(Array(payload))
    do throws(JournalDecodingError) {
      return try decoder.readList { decoder throws(JournalDecodingError) in
        try JournalRecord(decoding: try decoder.readBytes())
      }
    } catch {
      throw HeadraceError(
        .external, "JOURNAL_UNREADABLE", "found a record that this version cannot read: \(error)",
        remedy: "the folder was written by a newer version: run that one")
    }
  }

  /// Which machine, then its event.
  private func encoded() -> [UInt8] {
    var encoder = JournalEncoder()
    switch self {
    case .topic(let event):
      encoder.write(kind: Machine.topic.rawValue)
      event.encode(into: &encoder)
    case .group(let event):
      encoder.write(kind: Machine.group.rawValue)
      event.encode(into: &encoder)
    case .transaction(let event):
      encoder.write(kind: Machine.transaction.rawValue)
      event.encode(into: &encoder)
    }
    return encoder.bytes
  }

  private init(decoding bytes: [UInt8]) throws(JournalDecodingError) {
    var decoder = JournalDecoder(bytes)
    let raw = try decoder.readKind()
    switch Machine(rawValue: raw) {
    case .topic: self = .topic(try TopicEvent(from: &decoder))
    case .group: self = .group(try GroupEvent(decoding: &decoder))
    case .transaction: self = .transaction(try TransactionEvent(decoding: &decoder))
    case nil: throw .unknownKind(raw)
    }
  }
}
