internal import Core

/// What a program says on its standard output, line by line:
///
///     {"type": "progress", "done": 10, "total": 100, "message": "round 10"}
///     {"type": "metric", "name": "validation_auc", "value": 0.81}
///     {"type": "artefact", "path": "model.txt"}
///     {"type": "log", "message": "anything"}
///
/// The value of a metric that comes last counts; the path is relative to the output folder. Any other line is one of the
/// log. Memory is bounded whatever comes: long lines are cut, old lines go.
struct TrainerLines {
  private(set) var claims: [TrainedModel.Claim] = []
  private(set) var artefact: String?
  /// The last lines of the log.
  private(set) var log: [String] = []
  /// All that came, in bytes.
  private(set) var byteCount = 0
  private(set) var droppedLines = 0
  private var line: [UInt8] = []
  private var isCut = false

  static let lineBytesMax = 64 << 10
  static let logLinesMax = 200
  static let logLineCharactersMax = 1_000
  static let claimsMax = 256
  static let nameBytesMax = 200

  /// Takes what was read.
  ///
  /// - Parameter isProtocol: false of standard error, which is all log.
  mutating func append(_ bytes: some Sequence<UInt8>, isProtocol: Bool, _ tell: (TrainingJob.Progress) -> Void) {
    for byte in bytes {
      byteCount &+= 1
      if byte == UInt8(ascii: "\n") {
        finishLine(isProtocol: isProtocol, tell)
      } else if line.count < Self.lineBytesMax {
        line.append(byte)
      } else {
        isCut = true
      }
    }
  }

  /// The last line may have no end.
  mutating func finish(isProtocol: Bool, _ tell: (TrainingJob.Progress) -> Void) {
    if !line.isEmpty { finishLine(isProtocol: isProtocol, tell) }
  }

  private mutating func finishLine(isProtocol: Bool, _ tell: (TrainingJob.Progress) -> Void) {
    defer {
      line.removeAll(keepingCapacity: true)
      isCut = false
    }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    guard !line.isEmpty else { return }
    if isProtocol, !isCut, line.first == UInt8(ascii: "{"), let document = try? JSONDocument(line, depthMax: 8),
      read(document, tell)
    {
      return
    }
    keep(Self.printable(line), tell)
  }

  /// - Returns: false when it is no message of the protocol.
  private mutating func read(_ message: JSONDocument, _ tell: (TrainingJob.Progress) -> Void) -> Bool {
    switch message["type"]?.string {
    case "metric":
      guard let name = message["name"]?.string, let value = message["value"]?.double, value.isFinite,
        !name.isEmpty, name.utf8.count <= Self.nameBytesMax
      else { return false }
      claims.removeAll { $0.name == name }
      guard claims.count < Self.claimsMax else { return false }
      claims.append(.init(name: Self.printable(Array(name.utf8)), value: value))
    case "progress":
      guard let done = message["done"]?.integer.flatMap({ Int(exactly: $0) }),
        let total = message["total"]?.integer.flatMap({ Int(exactly: $0) })
      else { return false }
      tell(.step(done, of: total, note: Self.printable(Array((message["message"]?.string ?? "").utf8))))
    case "artefact":
      guard let path = message["path"]?.string, path.utf8.count <= 1_024 else { return false }
      artefact = path
    case "log":
      guard let text = message["message"]?.string else { return false }
      keep(Self.printable(Array(text.utf8)), tell)
    default: return false
    }
    return true
  }

  private mutating func keep(_ text: String, _ tell: (TrainingJob.Progress) -> Void) {
    if log.count == Self.logLinesMax {
      log.removeFirst()
      droppedLines += 1
    }
    log.append(text)
    // Whoever floods us is not passed on line by line.
    if droppedLines == 0 { tell(.log(text)) }
  }

  /// Text that a terminal may show: no control character, nothing that is no UTF-8.
  static func printable(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes.prefix(logLineCharactersMax * 4), as: UTF8.self)
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(logLineCharactersMax) {
      let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
      scalars.append(isControl ? (scalar == "\t" ? " " : "\u{fffd}") : scalar)
    }
    return String(scalars)
  }
}
