/// One payment, and its JSON: bytes are put together directly, no string is made.
struct Payment: Sendable, Equatable {
  var number: Int64
  var user: Int
  var merchant: Int
  var cents: Int64
  var country: Int
  var channel: Int
  var isFraud: Bool
  /// Event time, epoch milliseconds.
  var timeMilliseconds: Int64

  private static let countries = ["US", "DE", "FR", "GB", "IN", "BR", "JP", "NL"].map { Array($0.utf8) }
  private static let channels = ["web", "app", "pos"].map { Array($0.utf8) }

  /// Appends the payment as one JSON object, without a line feed.
  ///
  /// - Returns: where the user's name is in `bytes`.
  func append(to bytes: inout [UInt8]) -> Range<Int> {
    let key = appendIdentity(to: &bytes)
    bytes.append(contentsOf: Pieces.amount)
    Self.append(cents / 100, to: &bytes)
    bytes.append(UInt8(ascii: "."))
    Self.append(cents % 100, width: 2, to: &bytes)
    bytes.append(contentsOf: Pieces.country)
    bytes.append(contentsOf: Self.countries[country])
    bytes.append(contentsOf: Pieces.channel)
    bytes.append(contentsOf: Self.channels[channel])
    bytes.append(contentsOf: Pieces.isFraud)
    bytes.append(isFraud ? 0x31 : 0x30)
    bytes.append(contentsOf: Pieces.time)
    Self.append(timeMilliseconds, to: &bytes)
    bytes.append(UInt8(ascii: "}"))
    return key
  }

  /// Appends what no contract lets pass: five kinds, by the payment's number.
  func appendInvalid(to bytes: inout [UInt8]) -> Range<Int> {
    let start = bytes.count
    switch number % 5 {
    case 0:
      // Cut off in the middle.
      let key = append(to: &bytes)
      bytes.removeLast((bytes.count - start) / 3)
      return key
    case 1:
      let key = appendIdentity(to: &bytes)
      bytes.append(contentsOf: Pieces.textAmount)
      return key
    case 2:
      // Most fields are missing.
      let key = appendIdentity(to: &bytes)
      bytes.append(UInt8(ascii: "}"))
      return key
    case 3:
      var copy = self
      copy.timeMilliseconds = -1
      return copy.append(to: &bytes)
    default:
      let key = append(to: &bytes)
      bytes.append(contentsOf: Pieces.rubbish)
      return key
    }
  }

  /// `{"event_id":"e0000000001","user_id":"u000001","merchant_id":"m00001"`
  private func appendIdentity(to bytes: inout [UInt8]) -> Range<Int> {
    let key = Self.appendIdentity(number: number, user: user, to: &bytes)
    bytes.append(contentsOf: Pieces.merchantID)
    Self.append(Int64(merchant), width: 5, to: &bytes)
    bytes.append(UInt8(ascii: "\""))
    return key
  }

  /// `{"event_id":"e0000000001","user_id":"u000001`
  ///
  /// - Returns: where the user's name is.
  static func appendIdentity(number: Int64, user: Int, to bytes: inout [UInt8]) -> Range<Int> {
    bytes.append(contentsOf: Pieces.eventID)
    append(number, width: 10, to: &bytes)
    bytes.append(contentsOf: Pieces.userID)
    let start = bytes.count
    bytes.append(UInt8(ascii: "u"))
    append(Int64(user), width: 6, to: &bytes)
    return start..<bytes.count
  }

  private enum Pieces {
    static let eventID = Array(#"{"event_id":"e"#.utf8)
    static let userID = Array(#"","user_id":""#.utf8)
    static let merchantID = Array(#"","merchant_id":"m"#.utf8)
    static let amount = Array(#","amount":"#.utf8)
    static let country = Array(#","currency":"EUR","country":""#.utf8)
    static let channel = Array(#"","channel":""#.utf8)
    static let isFraud = Array(#"","is_fraud":"#.utf8)
    static let time = Array(#","ts":"#.utf8)
    static let textAmount = Array(#","amount":"a lot","currency":"EUR","country":"DE","channel":"web"}"#.utf8)
    static let rubbish = Array("}{".utf8)
  }

  /// Decimal digits, at least `width`.
  static func append(_ value: Int64, width: Int = 1, to bytes: inout [UInt8]) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    var count = 1
    var rest = value.magnitude
    while rest >= 10 {
      rest /= 10
      count += 1
    }
    count = max(count, width)
    let start = bytes.count
    for _ in 0..<count { bytes.append(0x30) }
    rest = value.magnitude
    var index = start + count - 1
    while rest > 0 {
      bytes[index] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
      index -= 1
    }
  }
}

extension PaymentsGenerator {
  /// Appends the JSON of event `number`, without a line feed.
  func append(_ number: Int64, to bytes: inout [UInt8]) -> Event {
    let key =
      switch kind(number) {
      case .plain: told(number).append(to: &bytes)
      case .invalid: told(number).appendInvalid(to: &bytes)
      case .duplicate(let original): told(original).append(to: &bytes)
      }
    return Event(key: key, arrivalMilliseconds: arrivalMilliseconds(number))
  }

  /// The payment as it is known when it is made.
  private func told(_ number: Int64) -> Payment {
    var payment = payment(number)
    if settings.outcomes != nil { payment.isFraud = false }
    return payment
  }
}
