internal import Core

/// Draws the progress line on a terminal; does nothing elsewhere.
struct ReplayProgress {
  private let isTerminal = StandardError.isTerminal
  private var line = ProgressLine(nowMilliseconds: WallClock.monotonic.nowMilliseconds)
  private var isShown = false

  mutating func draw(records: Int64, fraction: @autoclosure () -> Double, label: String) {
    guard isTerminal else { return }
    let text = line.draw(
      records: Int(clamping: records), fraction: fraction(), label: label, columns: StandardError.columns,
      nowMilliseconds: WallClock.monotonic.nowMilliseconds)
    guard let text else { return }
    isShown = true
    StandardError.write("\r\(text)\u{1b}[K", terminator: "")
  }

  /// Makes room for a message.
  mutating func clear() {
    guard isShown else { return }
    isShown = false
    StandardError.write("\r\u{1b}[K", terminator: "")
  }
}
