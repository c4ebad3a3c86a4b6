internal import Core

/// One thing that `doctor` looked at, and what to do about it.
struct Finding: Sendable, Equatable {
  enum Level: String, Sendable, Comparable {
    case ok, warning, error

    static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
    private var rank: Int {
      switch self {
      case .ok: 0
      case .warning: 1
      case .error: 2
      }
    }
  }

  /// What was looked at: `broker`, `topic flights.departures`, `disk`.
  var subject: String
  var level: Level
  /// What was found.
  var message: String
  /// What to do; nil when all is well.
  var fix: String?

  init(_ subject: String, _ level: Level, _ message: String, fix: String? = nil) {
    self.subject = subject
    self.level = level
    self.message = message
    self.fix = fix
  }

  /// On stderr, beside what a command has to say itself.
  func tell() { StandardError.write("\(level): \(subject): \(message)" + (fix.map { "; \($0)" } ?? "")) }

  static func ok(_ subject: String, _ message: String) -> Finding { Finding(subject, .ok, message) }

  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      for (name, text) in [("subject", subject), ("level", level.rawValue), ("message", message)] {
        writer.key(name)
        writer.string(text)
      }
      writer.key("fix")
      if let fix { writer.string(fix) } else { writer.null() }
    }
  }
}

extension [Finding] {
  var worst: Finding.Level { map(\.level).max() ?? .ok }

  /// For people: each finding on a line, its fix below it.
  var text: String {
    let width = map(\.subject.count).max() ?? 0
    let lines = map { finding in
      let mark = finding.level == .ok ? "ok     " : finding.level == .warning ? "WARNING" : "ERROR  "
      let padding = String(repeating: " ", count: width - finding.subject.count)
      let fix = finding.fix.map { "\n         \(String(repeating: " ", count: width))-> \($0)" } ?? ""
      return "\(mark)  \(finding.subject)\(padding)  \(finding.message)\(fix)\n"
    }
    let errors = filter { $0.level == .error }.count
    let warnings = filter { $0.level == .warning }.count
    return lines.joined() + "\(count) checks, \(errors) errors, \(warnings) warnings\n"
  }
}
