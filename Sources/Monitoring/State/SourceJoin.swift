internal import Core

/// What is known of an event beside its prediction.
package struct EventRow: Sendable, Equatable {
  package var offset: Int64
  /// Of the field that labels name it by; 0: it has none.
  package var key: UInt64
  /// A number for each segment column and the producer: places in `SegmentNames`.
  package var segments: [UInt32]
  /// It breaks its contract, and nothing else is known of it.
  package var isRefused = false

  package init(offset: Int64, key: UInt64, segments: [UInt32]) {
    self.offset = offset
    self.key = key
    self.segments = segments
  }

  package static func refused(offset: Int64) -> EventRow {
    var row = EventRow(offset: offset, key: 0, segments: [])
    row.isRefused = true
    return row
  }
}

/// Brings the predictions of one partition together with their events, which lie in another topic in the same order.
struct SourceJoin: Sendable, Equatable {
  /// Events whose prediction has not come, oldest first.
  private var events: [EventRow] = []
  private var first = 0
  /// The next event to come; every one in front of it has been here.
  private(set) var position: Int64 = 0

  /// How many events wait.
  var count: Int { events.count - first }

  mutating func add(_ rows: [EventRow], upTo position: Int64) {
    events += rows
    self.position = max(self.position, position)
  }

  /// Whether nothing more can be learned about an event.
  func isRead(_ offset: Int64) -> Bool { offset < position }

  /// What is known of a prediction's event, and of those in front of it that got none.
  struct Taken {
    /// Nil: it is not there any more.
    var event: EventRow?
    var readCount = 0
    var refusedCount = 0
  }

  /// Takes the event of a prediction, and forgets those in front of it: what broke its contract has no time of its own
  /// and belongs to the next one that has, whenever the two topics are read.
  mutating func take(_ offset: Int64) -> Taken {
    var taken = Taken()
    while first < events.count, events[first].offset < offset {
      taken.readCount += 1
      if events[first].isRefused { taken.refusedCount += 1 }
      first += 1
    }
    defer { compact() }
    guard first < events.count, events[first].offset == offset else { return taken }
    taken.event = events[first]
    taken.readCount += 1
    first += 1
    return taken
  }

  private mutating func compact() {
    guard first > 4_096, first * 2 > events.count else { return }
    events.removeFirst(first)
    first = 0
  }

  func write(to writer: inout ByteWriter) {
    writer.number(position)
    writer.number(UInt32(clamping: count))
    for event in events[first...] {
      writer.number(event.offset)
      writer.number(event.key)
      writer.number(event.isRefused ? 1 as UInt8 : 0)
      writer.number(UInt8(clamping: event.segments.count))
      for segment in event.segments { writer.number(segment) }
    }
  }

  init() {}

  init(from reader: inout ByteReader) throws(HeadraceError) {
    position = try reader.number()
    for _ in 0..<(try reader.elements(ofSize: 18)) {
      var event = EventRow(offset: try reader.number(), key: try reader.number(), segments: [])
      event.isRefused = try reader.flag()
      for _ in 0..<Int(try reader.number(UInt8.self)) { event.segments.append(try reader.number()) }
      events.append(event)
    }
  }
}

/// Names of segments by number: `carrier=AA`.
package struct SegmentNames: Sendable, Equatable {
  /// Values beyond are one segment.
  private static let namesMaximum = 1 << 16
  /// Stands for all values that found no place.
  package static let other: UInt32 = 0
  /// Who sent the event, where its record says so.
  package static let producer = "producer"

  private(set) var names = ["other"]
  private var hashes = [Self.hash("other")]
  private var numbers: [String: UInt32] = [:]

  package init() {}

  package mutating func number(_ name: String) -> UInt32 {
    if let number = numbers[name] { return number }
    guard names.count < Self.namesMaximum else { return Self.other }
    names.append(name)
    hashes.append(Self.hash(name))
    numbers[name] = UInt32(names.count - 1)
    return UInt32(names.count - 1)
  }

  /// Of the name with a number; the same one in every process.
  func hash(_ number: UInt32) -> UInt64 { hashes[min(Int(number), hashes.count - 1)] }

  private static func hash(_ name: String) -> UInt64 { unsafe Hash64.hash(Array(name.utf8).span.bytes) }

  func write(to writer: inout ByteWriter) {
    writer.number(UInt32(clamping: names.count - 1))
    for name in names.dropFirst() { writer.text(name) }
  }

  init(from reader: inout ByteReader) throws(HeadraceError) {
    for _ in 0..<(try reader.elements(ofSize: 4)) { _ = number(try reader.text()) }
  }
}
