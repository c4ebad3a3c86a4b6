internal import Glibc

/// The terminal as a screen to draw on; ordinary again when it is closed.
struct Terminal: ~Copyable {
  private static let alternateScreen = "\u{1b}[?1049h\u{1b}[?25l"
  private static let ordinaryScreen = "\u{1b}[?25h\u{1b}[?1049l"

  /// Whether stderr is a terminal that understands more than lines.
  static var isUsable: Bool {
    guard StandardError.isTerminal, let name = unsafe getenv("TERM") else { return false }
    return unsafe String(cString: name) != "dumb"
  }

  init() { StandardError.write(Self.alternateScreen, terminator: "") }

  deinit { StandardError.write(Self.ordinaryScreen, terminator: "") }

  /// Columns and rows; 80 by 24 when the terminal does not say.
  var size: (columns: Int, rows: Int) {
    var size = winsize()
    let code = unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size)
    guard code == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// From the upper left corner, each line cleared to its end, what was below it cleared too: nothing flickers.
  func show(_ lines: [String]) {
    let text = lines.map { $0 + "\u{1b}[K" }.joined(separator: "\r\n")
    StandardError.write("\u{1b}[H\(text)\u{1b}[J", terminator: "")
  }
}
