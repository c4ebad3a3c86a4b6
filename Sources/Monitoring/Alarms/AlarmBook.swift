internal import Core
internal import Drift

/// The alarms of one monitor that are open, and what happened to them during the day: a value that windows go into one
/// after the other.
///
/// Somebody is told when an alarm opens, when it gets another cause or becomes more severe, and when it is over: each
/// once. In between it goes on with the newest evidence, in the windows and in the digest of the day.
struct AlarmBook: Sendable, Equatable {
  /// What a window changes.
  struct Turn {
    /// All that are outside their limits, in the given order, each with its life.
    var outside: [AlarmResult] = []
    var resolved: [ResolvedAlarm] = []

    /// Those that somebody is told of.
    var told: [AlarmResult] { outside.filter { $0.change != .ongoing } }
  }

  /// What happened in the day that is not over.
  private struct Day: Sendable, Equatable {
    var index: Int64
    var windowCount = 0
    var rowCount = 0
    var openedIDs: [String] = []
    var escalatedIDs: [String] = []
    var resolved: [ResolvedAlarm] = []
  }

  private(set) var open: [String: AlarmLife] = [:]
  private var day: Day?

  init() {}

  /// One window, judged.
  ///
  /// - Parameters:
  ///   - outside: what is outside its limits.
  ///   - inside: features that were judged and are not; of others nothing is known, and nothing changes.
  mutating func take(
    _ outside: [AlarmResult], inside: [String], _ place: WindowReference, _ definition: MonitorDefinition
  ) -> Turn {
    var turn = Turn()
    var day = self.day ?? Day(index: floorDivide(place.startMilliseconds, definition.digestMilliseconds))
    day.windowCount += 1
    day.rowCount += place.rowCount
    for (feature, life) in open.sorted(by: { $0.key < $1.key }) {
      guard let reason = life.acknowledgement else { continue }
      turn.resolved.append(.init(life: life, reason: "acknowledged: \(reason)"))
      open[feature] = nil
    }
    for alarm in outside {
      let own = take(alarm, place, definition)
      switch own.change {
      case .opened: day.openedIDs.append(own.alarmID)
      case .escalated: day.escalatedIDs.append(own.alarmID)
      case .ongoing: break
      }
      turn.outside.append(own)
    }
    for feature in inside {
      guard var life = open[feature] else { continue }
      life.seeInside()
      open[feature] = life
      guard life.insideCount >= definition.resolveAfterWindows else { continue }
      let windows = life.insideCount == 1 ? "a window" : "\(life.insideCount) windows"
      turn.resolved.append(.init(life: life, reason: "inside its limits for \(windows)"))
      open[feature] = nil
    }
    day.resolved += turn.resolved
    self.day = day
    return turn
  }

  private mutating func take(
    _ alarm: AlarmResult, _ place: WindowReference, _ definition: MonitorDefinition
  ) -> AlarmResult {
    var alarm = alarm
    let sighting = AlarmSighting(alarm.drift)
    if var life = open[alarm.drift.feature] {
      alarm.change = life.see(sighting, mutedBy: alarm.mutedBy).map(AlarmChange.escalated) ?? .ongoing
      alarm.note(life)
      open[life.feature] = life
    } else {
      let id = MonitorResult.alarmID(
        definition.name, place, feature: alarm.drift.feature, isOfLabels: alarm.isOfLabels)
      let life = AlarmLife(id: id, alarm.drift.feature, sighting, mutedBy: alarm.mutedBy)
      alarm.change = .opened
      alarm.note(life)
      open[life.feature] = life
    }
    return alarm
  }

  /// What is now is right: everything that is open is over with the next window.
  mutating func acknowledge(_ reason: String) {
    for feature in open.keys { open[feature]?.acknowledgement = reason }
  }

  /// Ends the day when a time is not in it any more.
  ///
  /// - Returns: the digest with the day's span; nil while the day goes on, and when there is nothing to say of it.
  mutating func endDay(upTo time: Int64, _ definition: MonitorDefinition) -> (WindowReference, AlarmDigest)? {
    let length = definition.digestMilliseconds
    guard let over = day, (over.index + 1).multipliedClamped(length) <= time else { return nil }
    day = nil
    guard !open.isEmpty || !over.resolved.isEmpty else { return nil }
    let start = over.index.multipliedClamped(length)
    let lives = open.values.sorted { ($1.newest.excess, $0.feature) < ($0.newest.excess, $1.feature) }
    let place = WindowReference(
      startMilliseconds: start, endMilliseconds: start.addingClamped(length), rowCount: over.rowCount)
    return (
      place,
      AlarmDigest(
        windowCount: over.windowCount, open: lives, openedIDs: over.openedIDs, escalatedIDs: over.escalatedIDs,
        resolved: over.resolved, commonCause: CommonCause(of: lives, definition))
    )
  }
}

extension AlarmBook {
  func write(to writer: inout ByteWriter) {
    writer.number(UInt32(clamping: open.count))
    for (_, life) in open.sorted(by: { $0.key < $1.key }) { life.write(to: &writer) }
    writer.number(day == nil ? 0 as UInt8 : 1)
    guard let day else { return }
    writer.number(day.index)
    for count in [day.windowCount, day.rowCount] { writer.number(UInt64(clamping: count)) }
    for ids in [day.openedIDs, day.escalatedIDs] {
      writer.number(UInt32(clamping: ids.count))
      for id in ids { writer.text(id) }
    }
    writer.number(UInt32(clamping: day.resolved.count))
    for resolved in day.resolved {
      writer.text(resolved.reason)
      resolved.life.write(to: &writer)
    }
  }

  init(from reader: inout ByteReader) throws(HeadraceError) {
    for _ in 0..<(try reader.elements(ofSize: 64)) {
      let life = try AlarmLife(from: &reader)
      open[life.feature] = life
    }
    guard try reader.flag() else { return }
    var day = Day(index: try reader.number())
    day.windowCount = try reader.count()
    day.rowCount = try reader.count()
    for _ in 0..<(try reader.elements(ofSize: 4)) { day.openedIDs.append(try reader.text()) }
    for _ in 0..<(try reader.elements(ofSize: 4)) { day.escalatedIDs.append(try reader.text()) }
    for _ in 0..<(try reader.elements(ofSize: 64)) {
      let reason = try reader.text()
      day.resolved.append(ResolvedAlarm(life: try AlarmLife(from: &reader), reason: reason))
    }
    self.day = day
  }
}
