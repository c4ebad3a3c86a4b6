internal import Core
internal import Glibc

/// Draws the progress line on a terminal; does nothing elsewhere.
final class PublishProgress {
  private let isTerminal = StandardError.isTerminal
  private var line = ProgressLine(nowMilliseconds: WallClock.monotonic.nowMilliseconds)
  private var isShown = false
  /// Sizes of all inputs together; nil when one of them is a pipe.
  private let totalBytes: Int64?
  private var doneBytes: Int64 = 0
  private var currentBytes: Int64 = 0
  private var label = ""

  init(files: [String]) {
    totalBytes = files.reduce(Int64?.some(0)) { total, file in
      var status = stat()
      guard let total, file != "-", unsafe stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        return nil
      }
      return total + Int64(status.st_size)
    }
  }

  func didRead(_ readBytes: Int64, of sizeBytes: Int64?, file: String, isFinal: Bool) {
    label = String(file.split(separator: "/").last ?? "")
    currentBytes = isFinal ? 0 : readBytes
    if isFinal { doneBytes += sizeBytes ?? 0 }
  }

  func draw(_ receipt: Receipt) {
    guard isTerminal else { return }
    let fraction = totalBytes.map { $0 > 0 ? Double(doneBytes + currentBytes) / Double($0) : 1 }
    let text = line.draw(
      records: receipt.acknowledged, fraction: fraction, label: label, columns: StandardError.columns,
      nowMilliseconds: WallClock.monotonic.nowMilliseconds)
    guard let text else { return }
    isShown = true
    StandardError.write("\r\(text)\u{1b}[K", terminator: "")
  }

  /// Makes room for a message.
  func clear() {
    guard isShown else { return }
    isShown = false
    StandardError.write("\r\u{1b}[K", terminator: "")
  }
}
