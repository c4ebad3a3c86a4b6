internal import Core
internal import Topology

/// What a replay has read and written.
struct ReplayReport: Sendable {
  struct Source: Sendable {
    var name: String
    var topic: String
    var fromArchive: Int64 = 0
    var fromLog: Int64 = 0
    /// By the number of the outcome.
    var outcomes = [Int64](repeating: 0, count: PastOutcome.allCases.count)
    var oldestMilliseconds: Int64?
    var newestMilliseconds: Int64?

    mutating func count(_ event: borrowing PastEvent, isArchived: Bool) {
      if isArchived { fromArchive += 1 } else { fromLog += 1 }
      outcomes[event.outcome.rawValue] += 1
      guard let time = event.eventMilliseconds ?? event.knownMilliseconds else { return }
      oldestMilliseconds = min(oldestMilliseconds ?? time, time)
      newestMilliseconds = max(newestMilliseconds ?? time, time)
    }
  }

  var sources: [Source]
  /// nil: a dry run.
  var target: String?
  /// Under which its progress is kept.
  var name: String?
  var published: Int64 = 0
  /// Published before, in earlier runs of the same replay.
  var isResumed = false
  var wasDone = false
  var isDone = false
  var milliseconds: Int64 = 0

  init(_ selection: ReplaySelection) { self.init(selection.plan, sources: selection.sources) }

  /// - Parameter positions: in the plan.
  init(_ plan: Plan, sources positions: [Int]) {
    sources = positions.map { Source(name: plan.sources[$0].name, topic: plan.sources[$0].topic) }
  }

  var readCount: Int64 { sources.reduce(0) { $0 + $1.fromArchive + $1.fromLog } }

  private var perSecond: Double { milliseconds > 0 ? Double(readCount) * 1_000 / Double(milliseconds) : 0 }

  var text: String {
    var columns: [(title: String, alignment: Table.Alignment)] = [
      ("SOURCE", .left), ("ARCHIVE", .right), ("LOG", .right),
    ]
    columns += PastOutcome.allCases.map { ($0.name.uppercased(), .right) }
    columns += [("OLDEST", .left), ("NEWEST", .left)]
    var table = Table(columns)
    for source in sources {
      let figures = [source.fromArchive, source.fromLog] + source.outcomes
      let times = [source.oldestMilliseconds, source.newestMilliseconds].map { time in
        time.map { RFC3339.text(milliseconds: $0) } ?? "-"
      }
      table.append([source.name] + figures.map { Figures.grouped(Int(clamping: $0)) } + times)
    }
    return table.text
  }

  /// For people, on stderr.
  var summary: String {
    if wasDone {
      return "\(target ?? ""): this replay was done before (\(name ?? "")); --again publishes everything once more"
    }
    let speed = "in \(Figures.duration(milliseconds: milliseconds)), \(Figures.short(perSecond))/s"
    guard let target else { return "\(Figures.grouped(Int(clamping: readCount))) events read \(speed)" }
    let unit = target.contains("/") ? "rows written" : "events published"
    let end = isDone ? "" : "; the same command goes on here"
    return "\(target): \(Figures.grouped(Int(clamping: published))) \(unit) \(speed)\(end)"
  }

  var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("into")
      if let target { writer.string(target) } else { writer.null() }
      writer.key("name")
      if let name { writer.string(name) } else { writer.null() }
      writer.key("done")
      writer.boolean(isDone || wasDone)
      writer.key("resumed")
      writer.boolean(isResumed)
      writer.key("published")
      writer.number(published)
      writer.key("read")
      writer.number(readCount)
      writer.key("milliseconds")
      writer.number(milliseconds)
      writer.key("sources")
      writer.array { writer in for source in sources { source.write(to: &writer) } }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}

extension ReplayReport.Source {
  /// Counts of a batch that is committed.
  mutating func add(_ other: Self) {
    fromArchive += other.fromArchive
    fromLog += other.fromLog
    for index in outcomes.indices { outcomes[index] += other.outcomes[index] }
    oldestMilliseconds = [oldestMilliseconds, other.oldestMilliseconds].compactMap(\.self).min()
    newestMilliseconds = [newestMilliseconds, other.newestMilliseconds].compactMap(\.self).max()
  }

  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.key("source")
      writer.string(name)
      writer.key("topic")
      writer.string(topic)
      writer.key("from_archive")
      writer.number(fromArchive)
      writer.key("from_log")
      writer.number(fromLog)
      writer.key("outcomes")
      writer.object { writer in
        for outcome in PastOutcome.allCases {
          writer.key(outcome.name)
          writer.number(outcomes[outcome.rawValue])
        }
      }
      for (name, time) in [("oldest", oldestMilliseconds), ("newest", newestMilliseconds)] {
        writer.key(name)
        if let time { writer.string(RFC3339.text(milliseconds: time)) } else { writer.null() }
      }
    }
  }
}
