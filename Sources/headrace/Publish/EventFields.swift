internal import Contracts
internal import Core

/// What a document says about its record: key and time.
struct EventFields: ~Copyable {
  struct Event: Equatable, Sendable {
    /// nil: the field is null or missing, or no key is wanted.
    var key: JSONValue?
    /// nil: no event time is wanted.
    var timeMilliseconds: Int64?
  }

  enum Outcome: Equatable, Sendable {
    case event(Event)
    case blank
    case fault(InputFault)
  }

  private var reader: JSONFieldReader
  private let key: (field: Int, path: FieldPath)?
  private let time: (field: Int, path: FieldPath, unit: EventTime.Unit)?

  init(key: FieldPath?, time: FieldPath?, unit: EventTime.Unit) throws(HeadraceError) {
    var fields: [FieldPath] = []
    self.key = key.map { path in
      fields.append(path)
      return (fields.count - 1, path)
    }
    self.time = time.map { path in
      fields.append(path)
      return (fields.count - 1, path, unit)
    }
    reader = try JSONFieldReader(fields: fields)
  }

  mutating func read(_ batch: DocumentBatch) throws(HeadraceError) {
    try reader.read(batch.bytes.span, ends: batch.ends)
  }

  /// - Parameter batch: the one that was read last.
  func outcome(document: Int, of batch: DocumentBatch) -> Outcome {
    if let fault = reader.fault(document: document) {
      return fault.reason == .blank ? .blank : .fault(InputFault(fault, document: document, of: batch))
    }
    var event = Event()
    if let key {
      let value = reader.value(document: document, field: key.field)
      event.key = value.kind == .missing || value.kind == .null ? nil : value
    }
    guard let time else { return .event(event) }
    let value = reader.value(document: document, field: time.field)
    do throws(EventTime.Failure) {
      event.timeMilliseconds = try EventTime.milliseconds(of: value, in: batch.bytes.span, unit: time.unit)
      return .event(event)
    } catch {
      return .fault(fault(error, value, document: document, of: batch))
    }
  }

  private func fault(
    _ failure: EventTime.Failure, _ value: JSONValue, document: Int, of batch: DocumentBatch
  ) -> InputFault {
    let name = time?.path.description ?? ""
    let unit = time?.unit.rawValue ?? ""
    let found =
      value.kind == .missing ? "nothing" : String(decoding: batch.bytes[value.range].prefix(40), as: UTF8.self)
    let (message, remedy) =
      switch failure {
      case .missing:
        ("event time '\(name)': found \(found)", "give every event its time, or name another field by --event-time")
      case .wrongKind:
        (
          "event time '\(name)': found \(found), expected a number or an RFC 3339 string",
          "name another field by --event-time"
        )
      case .notRFC3339:
        (
          "event time '\(name)': found \"\(found)\", expected a number or a time such as 2013-01-31T23:59:59Z",
          "write RFC 3339 with an offset, or epoch time as a number"
        )
      case .outOfRange:
        (
          "event time '\(name)': found \(found), which in \(unit) is not between 1970 and 9999",
          "name the unit by --event-time-unit: s, ms, us or ns"
        )
      }
    return InputFault(line: batch.lines[document], column: nil, message: message, remedy: remedy)
  }
}
