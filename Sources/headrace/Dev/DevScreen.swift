internal import Core
internal import Contracts

/// The live view of `dev`. A value: snapshots and times come in, lines of text go out.
struct DevScreen: Sendable {
  /// The rates shown are those of about so long.
  private static let rateWindowMilliseconds: Int64 = 2_000
  private static let samplesMax = 3

  private struct Moment: Sendable {
    var atMilliseconds: Int64
    var read: [String: Int64]
  }

  private let startMilliseconds: Int64
  private var moments: [Moment] = []

  init(nowMilliseconds: Int64) { startMilliseconds = nowMilliseconds }

  /// - Parameters:
  ///   - columns: of the terminal; no line is longer.
  ///   - rows: of the terminal; what matters least is left out first.
  mutating func draw(
    _ snapshot: DevSnapshot, columns: Int, rows: Int, nowMilliseconds: Int64
  ) -> [String] {
    observe(snapshot, nowMilliseconds)
    var lines = head(snapshot, nowMilliseconds)
    lines += [""] + arrivals(snapshot, nowMilliseconds)
    lines += [""] + state(snapshot)
    let next = [""] + Self.whereToLookNext(snapshot)
    let features = [""] + values(snapshot)
    if lines.count + features.count + next.count <= rows {
      lines += features + next
    } else if lines.count + features.count <= rows {
      lines += features
    }
    return lines.prefix(max(rows, 1)).map { String($0.prefix(max(columns, 1))) }
  }

  /// One line for a log, where nothing can be drawn.
  mutating func line(_ snapshot: DevSnapshot, nowMilliseconds: Int64) -> String {
    observe(snapshot, nowMilliseconds)
    let sources = snapshot.sources.map { source in
      var text = "\(source.name) \(Figures.grouped(Int(source.read))) read"
      text += " (\(Figures.short(rate(source.name, nowMilliseconds)))/s)"
      if source.leftOut > 0 { text += ", \(Figures.grouped(Int(source.leftOut))) left out" }
      if source.late > 0 { text += ", \(Figures.grouped(Int(source.late))) late" }
      if source.deadLettered > 0 { text += ", \(Figures.grouped(Int(source.deadLettered))) dead-lettered" }
      return text
    }
    let elapsed = Figures.clock(seconds: (nowMilliseconds - startMilliseconds) / 1_000)
    return "\(snapshot.topology) \(elapsed): \(sources.joined(separator: "; ")); \(Self.lag(snapshot))"
  }

  private mutating func observe(_ snapshot: DevSnapshot, _ now: Int64) {
    while moments.count > 1 && now - moments[1].atMilliseconds >= Self.rateWindowMilliseconds { moments.removeFirst() }
    let read = snapshot.sources.map { ($0.name, $0.read) }
    moments.append(Moment(atMilliseconds: now, read: Dictionary(read, uniquingKeysWith: max)))
  }

  private func rate(_ source: String, _ now: Int64) -> Double {
    guard let first = moments.first, let last = moments.last, last.atMilliseconds > first.atMilliseconds else {
      return 0
    }
    let count = (last.read[source] ?? 0) - (first.read[source] ?? 0)
    return Double(max(count, 0)) * 1_000 / Double(last.atMilliseconds - first.atMilliseconds)
  }

  private func head(_ snapshot: DevSnapshot, _ now: Int64) -> [String] {
    let elapsed = Figures.clock(seconds: (now - startMilliseconds) / 1_000)
    return [
      "headrace dev  \(snapshot.topology)  \(elapsed)",
      "Kafka \(snapshot.bootstrap)   console http://\(snapshot.address)/   Ctrl-C stops",
    ]
  }

  private func arrivals(_ snapshot: DevSnapshot, _ now: Int64) -> [String] {
    var table = Table([
      ("SOURCE", .left), ("TOPIC", .left), ("RECORDS", .right), ("/S", .right), ("COUNTED", .right),
      ("LEFT OUT", .right), ("LATE", .right), ("DEAD-LETTERED", .right),
    ])
    for source in snapshot.sources {
      table.append([
        source.name, source.topic, Figures.grouped(Int(source.read)), Figures.short(rate(source.name, now)),
        Figures.grouped(Int(source.counted)), Figures.grouped(Int(source.leftOut)), Figures.grouped(Int(source.late)),
        Figures.grouped(Int(source.deadLettered)),
      ])
    }
    return table.text.split(separator: "\n").map(String.init)
  }

  private func state(_ snapshot: DevSnapshot) -> [String] {
    var lines = [Self.lag(snapshot)]
    if let watermark = snapshot.watermarkMilliseconds {
      lines[0] += "; event time \(RFC3339.text(milliseconds: watermark))"
    }
    if let age = snapshot.checkpointAgeMilliseconds {
      lines[0] += "; saved \(Figures.duration(milliseconds: max(age, 0))) ago"
    }
    if snapshot.readableTasks < snapshot.tasks {
      lines.append("\(snapshot.readableTasks) of \(snapshot.tasks) tasks can be read")
    }
    return lines + snapshot.obstacles.map { "! \($0)" }
  }

  private static func lag(_ snapshot: DevSnapshot) -> String {
    guard let records = snapshot.lagRecords else { return "the end of the log is not known yet" }
    guard records > 0 else { return "all of the log is applied" }
    let time = snapshot.lagMilliseconds.map { ", \(Figures.duration(milliseconds: max($0, 0))) of event time" } ?? ""
    return "behind by \(Figures.grouped(Int(records))) records\(time)"
  }

  private func values(_ snapshot: DevSnapshot) -> [String] {
    guard !snapshot.samples.isEmpty else {
      return snapshot.views.map { "\($0.name)  (by \($0.entity), of \($0.source)): \($0.features.count) features" }
    }
    return snapshot.samples.prefix(Self.samplesMax).map { sample in
      "\(sample.view) \(sample.key)  " + sample.values.map { "\($0.name) \($0.text)" }.joined(separator: "  ")
    }
  }

  /// What a person can do now, as commands that work when they are pasted.
  static func whereToLookNext(_ snapshot: DevSnapshot) -> [String] {
    var lines: [String] = []
    if snapshot.sources.allSatisfy({ $0.read == 0 }), let source = snapshot.sources.first {
      lines.append("nothing has arrived yet:")
      lines.append("  headrace publish \(source.topic) FILE --bootstrap \(snapshot.bootstrap)")
    }
    let sample = snapshot.samples.first
    if let view = sample?.view ?? snapshot.views.first?.name {
      lines.append("  headrace query \(view) \(sample?.key ?? "KEY") --server \(snapshot.address)")
    }
    if snapshot.sources.contains(where: { $0.deadLettered > 0 }) {
      lines.append("  headrace consume \(snapshot.topology).dlq --until end --bootstrap \(snapshot.bootstrap)")
    }
    if snapshot.sources.contains(where: { $0.late > 0 }) {
      lines.append("  headrace consume \(snapshot.topology).late --until end --bootstrap \(snapshot.bootstrap)")
    }
    lines.append("  curl -s http://\(snapshot.address)/api/tasks")
    return lines
  }
}
