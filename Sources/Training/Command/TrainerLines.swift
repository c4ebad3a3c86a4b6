internal import Core
internal import Glibc

/// What a program says on its standard output, line by line:
///
///     {"type": "progress", "done": 10, "total": 100, "message": "round 10"}
///     {"type": "metric", "name": "validation_auc", "value": 0.81}
///     {"type": "artefact", "path": "model.txt"}
///     {"type": "log", "message": "anything"}
///
/// The value of a metric that comes last counts; the path is relative to the output folder. Any other line is one of
/// the log, of which the first and the last lines are kept: memory and the cost of a line are bounded, whatever comes.
struct TrainerLines {
  private(set) var claims: [TrainedModel.Claim] = []
  private(set) var artefact: String?
  /// All that came, in bytes.
  private(set) var byteCount = 0
  /// Lines of the log behind those that `firstLines` has.
  private(set) var laterLineCount = 0
  private var firstLines: [String] = []
  /// The last bytes that came, protocol included.
  private var tail: [UInt8] = []
  /// The beginning of a line whose end has not come.
  private var line: [UInt8] = []
  private var isCut = false
  /// False of standard error, which is all log.
  private let isProtocol: Bool

  static let lineBytesMax = 64 << 10
  static let firstLinesMax = 100
  static let lastLinesMax = 100
  private static let tailBytesMax = 32 << 10
  private static let lineCharactersMax = 1_000
  private static let claimsMax = 256
  private static let nameBytesMax = 200

  init(isProtocol: Bool) { self.isProtocol = isProtocol }

  /// The lines that were kept, for people.
  var log: [String] {
    guard laterLineCount > 0 else { return firstLines }
    let last = tail.split(separator: UInt8(ascii: "\n")).filter { !isProtocol || $0.first != UInt8(ascii: "{") }
      .suffix(min(laterLineCount, Self.lastLinesMax)).map { Self.printable(Array($0)) }
    let missing = laterLineCount - last.count
    return firstLines + (missing > 0 ? ["(\(missing) lines are left out)"] : []) + last
  }

  /// Takes what was read.
  mutating func append(_ bytes: ArraySlice<UInt8>, _ tell: (TrainingJob.Progress) -> Void) {
    byteCount &+= bytes.count
    if firstLines.count == Self.firstLinesMax || bytes.count > Self.tailBytesMax { keepTail(bytes) }
    unsafe bytes.withUnsafeBytes { bytes in
      var start = 0
      while start < bytes.count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
        let newline = unsafe rest.baseAddress.flatMap { base in
          unsafe memchr(base, Int32(UInt8(ascii: "\n")), rest.count).map { unsafe UnsafeRawPointer($0) - base }
        }
        guard let newline else {
          unsafe hold(rest)
          return
        }
        let whole = unsafe UnsafeRawBufferPointer(rebasing: rest[..<newline])
        if line.isEmpty, !isCut {
          unsafe finish(whole, tell)
        } else {
          unsafe hold(whole)
          finishHeld(tell)
        }
        start += newline + 1
      }
    }
  }

  /// The last line may have no end.
  mutating func finish(_ tell: (TrainingJob.Progress) -> Void) {
    if !line.isEmpty { finishHeld(tell) }
  }

  private mutating func keepTail(_ bytes: ArraySlice<UInt8>) {
    tail += bytes.suffix(Self.tailBytesMax)
    if tail.count > 2 * Self.tailBytesMax { tail.removeFirst(tail.count - Self.tailBytesMax) }
  }

  private mutating func hold(_ bytes: UnsafeRawBufferPointer) {
    let room = Self.lineBytesMax - line.count
    if bytes.count > room { isCut = true }
    unsafe line.append(contentsOf: bytes.prefix(room))
  }

  private mutating func finishHeld(_ tell: (TrainingJob.Progress) -> Void) {
    let held = line
    unsafe held.withUnsafeBytes { unsafe finish($0, tell) }
    line.removeAll(keepingCapacity: true)
    isCut = false
  }

  private mutating func finish(_ bytes: UnsafeRawBufferPointer, _ tell: (TrainingJob.Progress) -> Void) {
    guard bytes.count > 1 || (unsafe bytes.first != UInt8(ascii: "\r") && !bytes.isEmpty) else { return }
    if unsafe isProtocol && !isCut && bytes[0] == UInt8(ascii: "{") && bytes.count <= Self.lineBytesMax,
      let document = unsafe try? JSONDocument(Array(bytes), depthMax: 8), read(document, tell)
    {
      return
    }
    guard firstLines.count < Self.firstLinesMax else {
      laterLineCount += 1
      return
    }
    // Whoever floods us is not passed on line by line.
    let text = unsafe Self.printable(Array(bytes.prefix(Self.lineCharactersMax * 4)))
    firstLines.append(text)
    tell(.log(text))
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
      guard let text = message["message"]?.string, firstLines.count < Self.firstLinesMax else { return false }
      firstLines.append(Self.printable(Array(text.utf8)))
      tell(.log(Self.printable(Array(text.utf8))))
    default: return false
    }
    return true
  }

  /// Text that a terminal may show: no control character, nothing that is no UTF-8.
  static func printable(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes.prefix(lineCharactersMax * 4), as: UTF8.self)
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(lineCharactersMax) where scalar != "\r" {
      let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
      scalars.append(isControl ? (scalar == "\t" ? " " : "\u{fffd}") : scalar)
    }
    return String(scalars)
  }
}
