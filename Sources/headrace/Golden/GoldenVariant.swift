internal import Core

/// A case as it was written, or as a network might deliver it. The expectations are the same for all.
enum GoldenVariant: Hashable, Sendable, CustomStringConvertible {
  case asWritten
  /// Events of a stretch between two expectations come in another order, none later than the source's lateness.
  case shuffled(seed: UInt64)
  /// Events of sources that know duplicates come a second time.
  case duplicated(seed: UInt64)
  /// Some events come long after the source's lateness: repaired while a window still shows them.
  case late(seed: UInt64)

  static func all(seeds: Int) -> [GoldenVariant] {
    let seeds = (0..<UInt64(max(seeds, 0)))
    return [.asWritten] + seeds.map(shuffled) + seeds.map(duplicated) + seeds.map(late)
  }

  var description: String {
    switch self {
    case .asWritten: "as written"
    case .shuffled(let seed): "shuffled (seed \(seed))"
    case .duplicated(let seed): "duplicated (seed \(seed))"
    case .late(let seed): "late (seed \(seed))"
    }
  }

  private var seed: UInt64 {
    switch self {
    case .asWritten: 0
    case .shuffled(let seed), .duplicated(let seed), .late(let seed): seed
    }
  }
}

/// An event with all that is known of it before it is read.
struct TimedEvent: Sendable, Equatable {
  /// A position in the plan's sources.
  var source: Int
  var key: [UInt8]?
  var value: [UInt8]
  /// Of the record.
  var timestampMilliseconds: Int64
  var latenessMilliseconds: Int64
  /// Whether the source leaves out an event that it has seen.
  var hasDeduplication: Bool
  /// A broken or a future record says nothing about time: it stays where it is.
  var mayMove: Bool
}

extension GoldenVariant {
  /// The events of one stretch in the order of their arrival; each record's timestamp is its arrival.
  func arrange(_ events: [TimedEvent], stretch: Int) -> [TimedEvent] {
    guard self != .asWritten else { return events }
    var random = SplitMix64(seed: seed &* 0x9e37_79b9 &+ UInt64(truncatingIfNeeded: stretch))
    var arrivals: [(at: Int64, event: TimedEvent)] = []
    for event in events {
      arrivals.append((arrival(of: event, &random), event))
      if case .duplicated = self, event.hasDeduplication, event.mayMove {
        arrivals.append((Self.delayed(event, upTo: event.latenessMilliseconds, &random), event))
      }
    }
    // Equal arrivals keep the order of the file.
    let order = arrivals.indices.sorted { (arrivals[$0].at, $0) < (arrivals[$1].at, $1) }
    return order.map { index in
      var event = arrivals[index].event
      event.timestampMilliseconds = arrivals[index].at
      return event
    }
  }

  private func arrival(of event: TimedEvent, _ random: inout SplitMix64) -> Int64 {
    guard event.mayMove else { return event.timestampMilliseconds }
    switch self {
    case .asWritten, .duplicated: return event.timestampMilliseconds
    case .shuffled: return Self.delayed(event, upTo: event.latenessMilliseconds, &random)
    case .late:
      guard Int.random(in: 0..<3, using: &random) == 0 else { return event.timestampMilliseconds }
      let (twice, overflow) = event.latenessMilliseconds.multipliedReportingOverflow(by: 2)
      return Self.delayed(event, upTo: overflow ? event.latenessMilliseconds : twice, &random)
    }
  }

  private static func delayed(_ event: TimedEvent, upTo limit: Int64, _ random: inout SplitMix64) -> Int64 {
    let delay = limit > 0 ? Int64.random(in: 0...limit, using: &random) : 0
    let (sum, overflow) = event.timestampMilliseconds.addingReportingOverflow(delay)
    return overflow ? event.timestampMilliseconds : sum
  }
}
