internal import Core
internal import Drift

/// How far beyond its limit something is: what decides whether somebody is woken.
package enum AlarmSeverity: UInt8, Sendable, Comparable, CaseIterable {
  /// Below twice the limit.
  case minor = 1
  /// From twice the limit on, and every defect of the data.
  case major
  /// From five times the limit on.
  case critical

  package static func < (left: AlarmSeverity, right: AlarmSeverity) -> Bool { left.rawValue < right.rawValue }

  package var name: String {
    switch self {
    case .minor: "minor"
    case .major: "major"
    case .critical: "critical"
    }
  }

  init(_ sighting: AlarmSighting) {
    switch sighting.excess {
    case 5...: self = .critical
    case 2...: self = .major
    default: self = sighting.isDataBug ? .major : .minor
    }
  }
}

/// What one window showed of an alarm: the part of its evidence that stays as long as the alarm lives.
package struct AlarmSighting: Sendable, Equatable {
  /// A part of the rows that accounts for much of it, and for how much.
  package struct Part: Sendable, Equatable {
    package var name: String
    package var share: Double
  }

  package var test: String
  package var value: Double
  package var threshold: Double
  /// As `DriftCause.code`.
  package var cause: String
  package var isDataBug: Bool
  package var startMilliseconds: Int64
  package var endMilliseconds: Int64
  package var segments: [Part] = []
  package var producers: [Part] = []

  /// Its score in limits; 1 is the limit.
  package var excess: Double { threshold > 0 ? value / threshold : value }

  private static let partsMaximum = 3

  init(_ drift: DriftAlarm) {
    test = drift.test.rawValue
    value = drift.value
    threshold = drift.threshold
    cause = drift.cause.code
    isDataBug = drift.cause.isDataBug
    startMilliseconds = drift.current.startMilliseconds
    endMilliseconds = drift.current.endMilliseconds
    segments = drift.segments.prefix(Self.partsMaximum).map { Part(name: $0.name, share: $0.share) }
    producers = drift.producers.prefix(Self.partsMaximum).map { Part(name: $0.name, share: $0.share) }
  }
}

/// An alarm from the window that opened it to the one that resolves it.
package struct AlarmLife: Sendable, Equatable {
  /// That of the event which opened it.
  package let id: String
  package let feature: String
  /// Start of the window that opened it.
  package let openedMilliseconds: Int64
  package var newest: AlarmSighting
  package var worst: AlarmSighting
  /// The highest so far.
  package var severity: AlarmSeverity
  /// Windows outside the limits since it was opened, and those of them in a row that end with the newest one.
  package var outsideCount = 1
  package var inARowCount = 1
  /// Windows in a row inside the limits.
  package var insideCount = 0
  /// Why the newest window did not ring; nil when it does.
  package var mutedBy: String?
  /// Causes that were told, the first one first.
  var toldCauses: [String]
  /// It has rung, when it was opened or later.
  var hasRung: Bool
  /// What somebody said who took what is for right.
  var acknowledgement: String?

  init(id: String, _ feature: String, _ sighting: AlarmSighting, mutedBy: String?) {
    self.id = id
    self.feature = feature
    self.mutedBy = mutedBy
    openedMilliseconds = sighting.startMilliseconds
    newest = sighting
    worst = sighting
    severity = AlarmSeverity(sighting)
    toldCauses = [sighting.cause]
    hasRung = mutedBy == nil
  }

  /// One more window outside the limits.
  ///
  /// - Returns: what is new about it and worth telling; nil: it goes on as it was.
  mutating func see(_ sighting: AlarmSighting, mutedBy: String?) -> String? {
    outsideCount += 1
    inARowCount += 1
    insideCount = 0
    newest = sighting
    if sighting.excess > worst.excess { worst = sighting }
    self.mutedBy = mutedBy
    var news: [String] = []
    if mutedBy == nil, !hasRung { news.append("no longer muted") }
    if mutedBy == nil { hasRung = true }
    if !toldCauses.contains(sighting.cause) {
      news.append("cause \(sighting.cause)")
      toldCauses.append(sighting.cause)
    }
    let own = AlarmSeverity(sighting)
    if own > severity {
      news.append("severity \(own.name)")
      severity = own
    }
    return news.isEmpty ? nil : news.joined(separator: ", ")
  }

  mutating func seeInside() {
    insideCount += 1
    inARowCount = 0
  }
}

extension AlarmLife {
  func write(to writer: inout ByteWriter) {
    writer.text(id)
    writer.text(feature)
    newest.write(to: &writer)
    worst.write(to: &writer)
    writer.number(openedMilliseconds)
    writer.number(severity.rawValue)
    for count in [outsideCount, inARowCount, insideCount] { writer.number(UInt64(clamping: count)) }
    for text in [mutedBy, acknowledgement] {
      writer.number(text == nil ? 0 as UInt8 : 1)
      writer.text(text ?? "")
    }
    writer.number(hasRung ? 1 as UInt8 : 0)
    writer.number(UInt32(clamping: toldCauses.count))
    for cause in toldCauses { writer.text(cause) }
  }

  init(from reader: inout ByteReader) throws(HeadraceError) {
    id = try reader.text()
    feature = try reader.text()
    newest = try AlarmSighting(from: &reader)
    worst = try AlarmSighting(from: &reader)
    openedMilliseconds = try reader.number()
    guard let severity = AlarmSeverity(rawValue: try reader.number()) else { throw reader.broken("a severity") }
    self.severity = severity
    outsideCount = try reader.count()
    inARowCount = try reader.count()
    insideCount = try reader.count()
    var texts: [String?] = []
    for _ in 0..<2 {
      let isThere = try reader.flag()
      let text = try reader.text()
      texts.append(isThere ? text : nil)
    }
    (mutedBy, acknowledgement) = (texts[0], texts[1])
    hasRung = try reader.flag()
    toldCauses = []
    for _ in 0..<(try reader.elements(ofSize: 4)) { toldCauses.append(try reader.text()) }
  }
}

extension AlarmSighting {
  fileprivate func write(to writer: inout ByteWriter) {
    writer.text(test)
    writer.number(value.bitPattern)
    writer.number(threshold.bitPattern)
    writer.text(cause)
    writer.number(isDataBug ? 1 as UInt8 : 0)
    writer.number(startMilliseconds)
    writer.number(endMilliseconds)
    for parts in [segments, producers] {
      writer.number(UInt32(clamping: parts.count))
      for part in parts {
        writer.text(part.name)
        writer.number(part.share.bitPattern)
      }
    }
  }

  fileprivate init(from reader: inout ByteReader) throws(HeadraceError) {
    test = try reader.text()
    value = try reader.double()
    threshold = try reader.double()
    cause = try reader.text()
    isDataBug = try reader.flag()
    startMilliseconds = try reader.number()
    endMilliseconds = try reader.number()
    segments = try Self.parts(&reader)
    producers = try Self.parts(&reader)
  }

  private static func parts(_ reader: inout ByteReader) throws(HeadraceError) -> [Part] {
    var parts: [Part] = []
    for _ in 0..<(try reader.elements(ofSize: 12)) {
      parts.append(Part(name: try reader.text(), share: try reader.double()))
    }
    return parts
  }
}
