internal import Contracts
internal import Core

/// One file of events in the order of their times, read as far as it is wanted.
final class LoopEventFile {
  private let topic: String
  private let endMilliseconds: Int64
  private var input: InputFile
  private var framing = LineFraming()
  private var fields: EventFields
  private var buffer: [UInt8] = []
  private var documents = DocumentBatch()
  private var document = 0
  private var isAtEnd = false
  /// An event was met that is left out: so are all behind it.
  private var isPast = false

  /// - Parameter endMilliseconds: events from here on are left out.
  init(
    path: String, topic: String, key: String, time: String, endMilliseconds: Int64
  ) throws(HeadraceError) {
    self.topic = topic
    self.endMilliseconds = endMilliseconds
    input = try InputFile(path: path)
    fields = try EventFields(key: FieldPath(name: key), time: FieldPath(name: time), unit: .milliseconds)
  }

  /// Hands over the events up to a time.
  func append(before limitMilliseconds: Int64, to sink: LoopSink) throws {
    while !isPast, try fill() {
      switch fields.outcome(document: document, of: documents) {
      case .blank: document += 1
      case .fault(let fault):
        throw HeadraceError(
          .user, "EVENT_INVALID", fault.description(file: input.name), place: input.name,
          remedy: "take the files that make_events.py makes")
      case .event(let event):
        let time = event.timeMilliseconds ?? 0
        guard time < limitMilliseconds else { return }
        guard time < endMilliseconds else {
          isPast = true
          return
        }
        try sink.append(
          to: topic, documents.bytes, key: event.key?.range, value: documents.trimmedRange(of: document),
          timestampMilliseconds: time)
        document += 1
      }
    }
  }

  /// - Returns: false when there is nothing more.
  private func fill() throws(HeadraceError) -> Bool {
    while document >= documents.count {
      guard !isAtEnd else { return false }
      isAtEnd = try !input.read(into: &buffer)
      try framing.frame(&buffer, isFinal: isAtEnd, into: &documents)
      try fields.read(documents)
      document = 0
    }
    return true
  }
}
