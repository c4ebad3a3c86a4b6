internal import Contracts
internal import Core
internal import Glibc
internal import Logging

/// Log lines in a file: where the terminal shows something else.
struct FileLogHandler: LogHandler {
  /// Open for as long as the process runs; a line is one write, so that lines of threads do not mix.
  private let descriptor: Int32
  private let label: String
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  init(path: String, label: String) throws(HeadraceError) {
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .file(path, "cannot be opened") }
    self.label = label
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
    let pairs = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    let time = RFC3339.text(milliseconds: WallClock.system.nowMilliseconds)
    // One line, whatever a message has in it.
    let text = "\(time) \(event.level) \(label):\(pairs) \(event.message)".filter { !$0.isNewline } + "\n"
    let bytes = Array(text.utf8)
    _ = unsafe write(descriptor, bytes, bytes.count)
  }
}
