internal import ArgumentParser
internal import Core
internal import Glibc
internal import Logging

/// How lines of the log look.
enum LogFormat: String, ExpressibleByArgument, CaseIterable, Sendable { case text, json }

/// A JSON object a line on stderr: `ts`, `level`, `logger`, `msg`, then the metadata by its names: `topic`,
/// `partition`, `offset`, `task`, `error`…
struct JSONLogHandler: LogHandler {
  private let label: String
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  init(label: String) { self.label = label }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let bytes = Self.line(
      time: WallClock.system.nowMilliseconds, event.level, label, "\(event.message)",
      metadata.merging(event.metadata ?? [:]) { _, new in new })
    // A line is one write, so that lines of threads do not mix.
    _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
  }

  static func line(
    time: Int64, _ level: Logger.Level, _ label: String, _ message: String, _ metadata: Logger.Metadata
  ) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("ts", RFC3339.text(milliseconds: time))
      writer.member("level", level.rawValue)
      writer.member("logger", label)
      writer.member("msg", message)
      for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
        writer.key(key)
        append(value, to: &writer)
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  private static func append(_ value: Logger.Metadata.Value, to writer: inout JSONWriter) {
    switch value {
    case .string(let text):
      if let number = Int64(text) { writer.number(number) } else { writer.string(text) }
    case .stringConvertible(let value): writer.string("\(value)")
    case .array(let values):
      writer.array { writer in for value in values { append(value, to: &writer) } }
    case .dictionary(let values):
      writer.object { writer in
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
          writer.key(key)
          append(value, to: &writer)
        }
      }
    }
  }
}
