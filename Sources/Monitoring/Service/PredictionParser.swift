internal import Core
internal import Glibc

/// Reads predictions as the stream writes them, byte by byte into rows: no tree, no text.
///
/// Members that it does not know are passed over. A record that is no prediction of the model gives no row.
struct PredictionParser {
  private let model: [UInt8]
  /// Features of a row; 0 when predictions carry none.
  private let featureCount: Int
  private var vector: [Float] = []
  /// What the last prediction said between its id and its score: the same in all of one version.
  private var head: [UInt8] = []

  init(model: String, featureCount: Int) {
    self.model = Array(model.utf8)
    self.featureCount = featureCount
  }

  /// Appends a row, or of a later revision of a prediction what it says now: the event and its vector are the same.
  ///
  /// - Returns: false when the record is no prediction of the model, or not of its shape.
  mutating func append(
    _ record: RawSpan, offset: Int64, to rows: inout PredictionRows, _ corrections: inout [ScoreCorrection]
  ) -> Bool {
    var scanner = Scanner(record)
    var (eventOffset, time): (Int64?, Int64?) = (nil, nil)
    var (score, label) = (Double.nan, Double.nan)
    var isOurs = false
    var revision: Int64 = 0
    vector.removeAll(keepingCapacity: true)
    let headStart = scanner.afterID()
    if scanner.take(head, at: headStart) {
      isOurs = true
      score = scanner.number() ?? .nan
    } else {
      guard scanner.take(UInt8(ascii: "{")) else { return false }
    }
    while let key = scanner.key() {
      switch key {
      case .model: isOurs = scanner.isText(model)
      case .score:
        // Only what stood in front of the score is passed over the next time.
        if isOurs, eventOffset == nil, time == nil, label.isNaN, vector.isEmpty, revision == 0 {
          scanner.copy(from: headStart, into: &head)
        }
        score = scanner.number() ?? .nan
      case .label: label = scanner.number() ?? .nan
      case .offset: eventOffset = scanner.integer()
      case .eventTime: time = scanner.integer()
      case .revision: revision = scanner.integer() ?? 0
      case .features where featureCount > 0: scanner.numbers(into: &vector, atMost: featureCount)
      case .features, .other: scanner.skip()
      }
    }
    guard isOurs, let eventOffset, let time, vector.count == featureCount else { return false }
    // Of several outputs the one that was chosen.
    if score.isNaN { score = label }
    guard revision == 0 else {
      corrections.append(ScoreCorrection(eventOffset: eventOffset, timeMilliseconds: time, score: score))
      return true
    }
    rows.values += vector
    rows.values.append(Float(score))
    rows.timesMilliseconds.append(time)
    rows.offsets.append(offset)
    rows.eventOffsets.append(eventOffset)
    rows.scores.append(score)
    return true
  }
}

/// The members of one flat JSON object.
private struct Scanner: ~Escapable {
  enum Key { case model, score, label, offset, eventTime, features, revision, other }

  private let bytes: RawSpan
  private var place = 0

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) { self.bytes = bytes }

  private var current: UInt8? {
    place < bytes.byteCount ? unsafe bytes.unsafeLoad(fromByteOffset: place, as: UInt8.self) : nil
  }

  private func byte(_ index: Int) -> UInt8 {
    index < bytes.byteCount ? unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) : 0
  }

  @_lifetime(self: copy self)
  mutating func take(_ wanted: UInt8) -> Bool {
    while let byte = current, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { place += 1 }
    guard current == wanted else { return false }
    place += 1
    return true
  }

  /// Where the id's part that is another one in each record ends, if the record begins with its id.
  func afterID() -> Int? {
    let begin: StaticString = "{\"id\":\""
    guard matches(begin, 0) else { return nil }
    var index = begin.utf8CodeUnitCount
    while index < bytes.byteCount, byte(index) != UInt8(ascii: "/") {
      if byte(index) == UInt8(ascii: "\"") || byte(index) == UInt8(ascii: "\\") { return nil }
      index += 1
    }
    return index
  }

  /// Goes behind `head`, if that is what stands at a place.
  @_lifetime(self: copy self)
  mutating func take(_ head: [UInt8], at start: Int?) -> Bool {
    guard let start, !head.isEmpty, bytes.byteCount - start >= head.count else { return false }
    let isSame = unsafe bytes.withUnsafeBytes { bytes in
      unsafe head.withUnsafeBytes { head in
        guard let here = bytes.baseAddress, let other = head.baseAddress else { return false }
        return unsafe memcmp(here + start, other, head.count) == 0
      }
    }
    if isSame { place = start + head.count }
    return isSame
  }

  /// Copies what lies between a place and this one.
  func copy(from start: Int?, into head: inout [UInt8]) {
    head.removeAll(keepingCapacity: true)
    guard let start, start < place else { return }
    unsafe bytes.extracting(start..<place).withUnsafeBytes { unsafe head.append(contentsOf: $0) }
  }

  /// The next member's name, with its colon; nil at the end.
  @_lifetime(self: copy self)
  mutating func key() -> Key? {
    _ = take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "\"")) else { return nil }
    let start = place
    skipText()
    let end = place - 1
    guard take(UInt8(ascii: ":")) else { return nil }
    switch end - start {
    case 5 where matches("model", start): return .model
    case 5 where matches("score", start): return .score
    case 5 where matches("label", start): return .label
    case 6 where matches("offset", start): return .offset
    case 8 where matches("features", start): return .features
    case 8 where matches("revision", start): return .revision
    case 10 where matches("event_time", start): return .eventTime
    default: return .other
    }
  }

  private func matches(_ name: StaticString, _ start: Int) -> Bool {
    for index in 0..<name.utf8CodeUnitCount where unsafe name.utf8Start[index] != byte(start + index) { return false }
    return true
  }

  /// Behind the closing quote.
  @_lifetime(self: copy self)
  private mutating func skipText() {
    while let byte = current {
      place += byte == UInt8(ascii: "\\") ? 2 : 1
      if byte == UInt8(ascii: "\"") { return }
    }
  }

  @_lifetime(self: copy self)
  mutating func isText(_ wanted: [UInt8]) -> Bool {
    guard take(UInt8(ascii: "\"")) else {
      skip()
      return false
    }
    let start = place
    skipText()
    guard place - 1 - start == wanted.count else { return false }
    for index in wanted.indices where byte(start + index) != wanted[index] { return false }
    return true
  }

  /// Passes over any value.
  @_lifetime(self: copy self)
  mutating func skip() {
    var depth = 0
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        place += 1
        skipText()
        if depth == 0 { return }
        continue
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        if depth == 0 { return }
        depth -= 1
      case UInt8(ascii: ","): if depth == 0 { return }
      default: break
      }
      place += 1
    }
  }

  @_lifetime(self: copy self)
  mutating func integer() -> Int64? {
    let value = number()
    return value.flatMap { Int64(exactly: $0) }
  }

  /// A number, or a truth as 1 and 0; nil of anything else.
  @_lifetime(self: copy self)
  mutating func number() -> Double? {
    while let byte = current, byte == 0x20 { place += 1 }
    let start = place
    let isNegative = current == UInt8(ascii: "-")
    if isNegative { place += 1 }
    var (mantissa, digits, exponent): (UInt64, Int, Int) = (0, 0, 0)
    var (isFraction, hasDigit) = (false, false)
    while let byte = current {
      if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
        hasDigit = true
        if digits < 18 {
          mantissa = mantissa * 10 + UInt64(byte - UInt8(ascii: "0"))
          if mantissa > 0 { digits += 1 }
          if isFraction { exponent -= 1 }
        } else if !isFraction {
          exponent += 1
        }
      } else if byte == UInt8(ascii: "."), !isFraction {
        isFraction = true
      } else {
        break
      }
      place += 1
    }
    guard hasDigit else {
      place = start
      return word()
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") { exponent += takeExponent() }
    // Exact where the digits fit into a double and the power of ten is one: all numbers of single precision.
    if mantissa < 1 << 53, (-22...22).contains(exponent) {
      let power = Self.powers[abs(exponent)]
      let magnitude = exponent < 0 ? Double(mantissa) / power : Double(mantissa) * power
      return isNegative ? -magnitude : magnitude
    }
    return longNumber(start..<place)
  }

  /// A number of more digits than fit: rarely more than the seventeen of a double.
  private func longNumber(_ range: Range<Int>) -> Double {
    guard range.count < 64 else { return unsafe bytes.extracting(range).withUnsafeBytes { unsafe Self.double(of: $0) } }
    var text = InlineArray<64, CChar>(repeating: 0)
    for index in range { text[index - range.lowerBound] = CChar(bitPattern: byte(index)) }
    return unsafe text.span.withUnsafeBufferPointer { text in
      guard let start = text.baseAddress else { return .nan }
      return unsafe strtod(start, nil)
    }
  }

  private static func double(of text: UnsafeRawBufferPointer) -> Double {
    unsafe Double(String(decoding: text, as: UTF8.self)) ?? .nan
  }

  private static let powers: [Double] = (0...22).map { exponent in
    (0..<exponent).reduce(1.0) { power, _ in power * 10 }
  }

  @_lifetime(self: copy self)
  private mutating func takeExponent() -> Int {
    place += 1
    let isNegative = current == UInt8(ascii: "-")
    if isNegative || current == UInt8(ascii: "+") { place += 1 }
    var value = 0
    while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
      value = min(value * 10 + Int(byte - UInt8(ascii: "0")), 100_000)
      place += 1
    }
    return isNegative ? -value : value
  }

  @_lifetime(self: copy self)
  private mutating func word() -> Double? {
    let first = current
    skip()
    switch first {
    case UInt8(ascii: "t"): return 1
    case UInt8(ascii: "f"): return 0
    case UInt8(ascii: "n"): return .nan
    default: return nil
    }
  }

  /// The numbers of an array, NaN for null.
  @_lifetime(self: copy self)
  mutating func numbers(into vector: inout [Float], atMost limit: Int) {
    guard take(UInt8(ascii: "[")) else { return skip() }
    while !take(UInt8(ascii: "]")) {
      guard vector.count <= limit, let value = number() else {
        while !take(UInt8(ascii: "]")), current != nil { place += 1 }
        vector.removeAll(keepingCapacity: true)
        return
      }
      vector.append(Float(value))
      _ = take(UInt8(ascii: ","))
      guard current != nil else { return }
    }
  }
}
