/// The progress of a long work as one line of a terminal. A value: time and counts come in, text goes out.
struct ProgressLine: Sendable {
  /// How often the line is drawn at most.
  private static let intervalMilliseconds: Int64 = 100
  /// The rate shown is that of about so long.
  private static let rateWindowMilliseconds: Int64 = 3_000

  private struct Sample: Sendable {
    var atMilliseconds: Int64
    var records: Int
    var fraction: Double
  }

  private let startMilliseconds: Int64
  private var samples: [Sample]
  private var lastDrawnMilliseconds: Int64?

  init(nowMilliseconds: Int64) {
    startMilliseconds = nowMilliseconds
    samples = [Sample(atMilliseconds: nowMilliseconds, records: 0, fraction: 0)]
  }

  /// - Parameters:
  ///   - records: acknowledged so far.
  ///   - fraction: of the whole work, 0 to 1; nil when its size is not known.
  ///   - columns: of the terminal.
  /// - Returns: the line without control characters, at most `columns - 1` wide; nil when it was drawn just now.
  mutating func draw(
    records: Int, fraction: Double?, label: String, columns: Int, nowMilliseconds: Int64
  ) -> String? {
    if let lastDrawnMilliseconds, nowMilliseconds - lastDrawnMilliseconds < Self.intervalMilliseconds { return nil }
    lastDrawnMilliseconds = nowMilliseconds
    let now = Sample(atMilliseconds: nowMilliseconds, records: records, fraction: fraction ?? 0)
    while samples.count > 1 && nowMilliseconds - samples[1].atMilliseconds >= Self.rateWindowMilliseconds {
      samples.removeFirst()
    }
    let rate = perSecond(now.records - samples[0].records, since: samples[0].atMilliseconds, nowMilliseconds)
    let remaining = remainingSeconds(now)
    samples.append(now)

    var right = "\(Figures.grouped(records)) records  \(Figures.short(rate))/s"
    if let remaining { right += "  ETA \(Figures.clock(seconds: remaining))" }
    let left =
      fraction.map { "\(Int(min(max($0, 0), 1) * 100))%" } ?? Figures.clock(seconds: elapsedSeconds(nowMilliseconds))
    return fit(left: left, fraction: fraction, right: right, label: label, columns: columns)
  }

  private func elapsedSeconds(_ nowMilliseconds: Int64) -> Int64 { (nowMilliseconds - startMilliseconds) / 1_000 }

  private func perSecond(_ count: Int, since: Int64, _ now: Int64) -> Double {
    now > since ? Double(count) * 1_000 / Double(now - since) : 0
  }

  /// From the speed of the last seconds; nil while there is none.
  private func remainingSeconds(_ now: Sample) -> Int64? {
    let done = now.fraction - samples[0].fraction
    let elapsed = now.atMilliseconds - samples[0].atMilliseconds
    guard done > 0, elapsed > 0 else { return nil }
    let seconds = (1 - min(now.fraction, 1)) * Double(elapsed) / done / 1_000
    return seconds < 360_000 ? Int64(seconds.rounded(.up)) : nil
  }

  private func fit(left: String, fraction: Double?, right: String, label: String, columns: Int) -> String {
    let padded = String(repeating: " ", count: max(0, 4 - left.count)) + left
    let room = columns - 1 - padded.count - right.count - 4
    var line = padded
    if let fraction, room >= 12 {
      let width = min(room - 2, 30)
      let done = Int(min(max(fraction, 0), 1) * Double(width))
      line += " [" + String(repeating: "#", count: done) + String(repeating: "-", count: width - done) + "]"
    }
    line += "  " + right
    if !label.isEmpty && line.count + 2 + label.count <= columns - 1 { line += "  " + label }
    return String(line.prefix(max(columns - 1, 0)))
  }
}
