internal import Core
internal import OfflineStore
internal import Topology

/// Which events of the past are wanted.
struct ReplaySelection: Sendable {
  let plan: Plan
  /// Positions in the plan.
  let sources: [Int]
  /// Epoch milliseconds; the ends of time stand for no limit.
  let times: Range<Int64>
  let clock: ReplayCommand.Clock
  let reading: ReplayCommand.Reading

  /// - Throws: NO_SUCH_SOURCE, NOT_ARCHIVED.
  init(
    _ plan: Plan, sources names: [String], times: Range<Int64>, clock: ReplayCommand.Clock,
    reading: ReplayCommand.Reading
  ) throws(HeadraceError) {
    self.plan = plan
    self.times = times
    self.clock = clock
    self.reading = reading
    guard !names.isEmpty else {
      sources = Array(plan.sources.indices)
      return
    }
    var positions: [Int] = []
    for name in names {
      guard let position = plan.source(named: name) else {
        throw HeadraceError(
          .user, "NO_SUCH_SOURCE", "there is no source `\(name)`", place: plan.document.file,
          remedy: "sources of the topology: \(plan.sources.map(\.name).joined(separator: ", "))")
      }
      if !positions.contains(position) { positions.append(position) }
    }
    sources = positions
  }

  var hasTimes: Bool { times.lowerBound > .min || times.upperBound < .max }

  /// Of this selection into a topic: the same command has the same name.
  func name(into topic: String) -> String {
    var text = "\(plan.name)\u{0}\(topic)\u{0}\(times.lowerBound)\u{0}\(times.upperBound)\u{0}\(clock.rawValue)"
    for source in sources { text += "\u{0}\(plan.sources[source].name)" }
    return "\(plan.name)-\(Hash64.hash(unsafe Array(text.utf8).span.bytes).hexadecimal)"
  }
}
