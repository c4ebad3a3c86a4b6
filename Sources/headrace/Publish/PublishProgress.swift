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
  private var label = ""
  /// The piece of the file that is being published, in bytes of the file, and how far its documents are.
  private var piece: Range<Int64> = 0..<0
  private var pieceDocuments = 0
  /// Set for every document: cheap.
  var document = 0

  init(files: [String]) {
    totalBytes = files.reduce(Int64?.some(0)) { total, file in
      var status = stat()
      guard let total, file != "-", unsafe stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        return nil
      }
      return total + Int64(status.st_size)
    }
  }

  func didRead(upTo readBytes: Int64, documents: Int, file: String) {
    label = String(file.split(separator: "/").last ?? "")
    piece = min(piece.upperBound, readBytes)..<readBytes
    pieceDocuments = documents
    document = 0
  }

  func didFinish(sizeBytes: Int64?) {
    doneBytes += sizeBytes ?? 0
    piece = 0..<0
  }

  private var fraction: Double? {
    guard let totalBytes else { return nil }
    guard totalBytes > 0 else { return 1 }
    let share = pieceDocuments > 0 ? Double(document) / Double(pieceDocuments) : 0
    let bytes = Double(doneBytes + piece.lowerBound) + Double(piece.count) * share
    return bytes / Double(totalBytes)
  }

  func draw(_ receipt: Receipt) {
    guard isTerminal else { return }
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
