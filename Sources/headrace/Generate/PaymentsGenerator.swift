internal import Core

/// Card payments out of nothing but a seed: payment `n` is a function of the settings and `n`.
///
/// Users and merchants follow Zipf laws (exponent 1.1), amounts a log-normal law around 20 with a long tail. Events are
/// numbered in the order in which they arrive, evenly in time; event times lie up to 5 s before that, those of late
/// events 10 s to 2 min more.
struct PaymentsGenerator: Sendable {
  struct Settings: Sendable, Equatable {
    var seed: UInt64 = 7
    var users = 100_000
    var merchants = 5_000
    /// When event 0 arrives, epoch milliseconds.
    var startMilliseconds: Int64 = 0
    /// How many events arrive in a second of event time.
    var eventsPerSecond = 1_000.0
    var lateShare = 0.01
    var duplicateShare = 0.0
    var invalidShare = 0.0
    var drift: Drift?
    /// Told hours later in a stream of their own; nil: a payment says itself whether it is fraud, which depends on its
    /// amount alone.
    var outcomes: Outcomes?
  }

  /// From some event on amounts are larger, and three of five payments come from the web instead of one of three.
  struct Drift: Sendable, Equatable {
    enum Beginning: Sendable, Equatable {
      case event(Int64)
      /// Event time since the start.
      case milliseconds(Int64)
    }

    var beginning: Beginning
    var amountFactor = 1.3
  }

  /// What an event is besides its bytes.
  struct Event: Sendable, Equatable {
    /// The user, which is the record's key, in the bytes that were appended.
    var key: Range<Int>
    /// When it arrives, epoch milliseconds.
    var arrivalMilliseconds: Int64
  }

  enum Kind: Sendable, Equatable {
    case plain
    case invalid
    /// The payment of an earlier event again.
    case duplicate(of: Int64)
  }

  let settings: Settings
  private let users: ZipfTable
  private let merchants: ZipfTable
  /// The first event with drift.
  let driftStart: Int64

  init(_ settings: Settings) {
    self.settings = settings
    users = ZipfTable(count: settings.users, exponent: 1.1)
    merchants = ZipfTable(count: settings.merchants, exponent: 1.1)
    driftStart =
      switch settings.drift?.beginning {
      case nil: .max
      case .event(let number): number
      case .milliseconds(let milliseconds):
        Int64(min(Double(milliseconds) / 1_000 * settings.eventsPerSecond, 9e18).rounded(.up))
      }
  }

  func arrivalMilliseconds(_ number: Int64) -> Int64 {
    settings.startMilliseconds &+ Int64(min(Double(number) * 1_000 / settings.eventsPerSecond, 4e18))
  }

  /// What the event `number` is.
  func kind(_ number: Int64) -> Kind {
    var random = Self.random(settings.seed ^ 0x6b69_6e64, number)
    let share = Self.share(random.next())
    if share < settings.invalidShare { return .invalid }
    guard share < settings.invalidShare + settings.duplicateShare, number > 0 else { return .plain }
    // Of one of the thousand before it that was plain, so that it really is sent twice.
    let original = number - 1 - Int64(random.next() % UInt64(min(number, 1_000)))
    var earlier = Self.random(settings.seed ^ 0x6b69_6e64, original)
    let wasPlain = Self.share(earlier.next()) >= settings.invalidShare + settings.duplicateShare
    return wasPlain ? .duplicate(of: original) : .plain
  }

  /// What the payment `number` consists of, drawn in a fixed order.
  func payment(_ number: Int64) -> Payment {
    var random = Self.random(settings.seed, number)
    let user = users.number(random.next())
    let merchant = merchants.number(random.next())
    let choices = random.next()
    let normal = Self.normal(&random)
    let hasDrift = number >= driftStart
    let channel = Self.channel(Self.share(choices), hasDrift: hasDrift)
    let factor = amountFactor(channel: channel, hasDrift: hasDrift)
    let amount = PortableMath.exp(3 + normal + level(ofUser: user)) * factor
    let cents = Int64(min(max((amount * 100).rounded(), 1), 100_000_000))
    let isLate = Self.share(random.next()) < settings.lateShare
    let delay = random.next()
    let jitter = (Int64(delay & 0xffff) * 5_000) >> 16
    let lateness = isLate ? 10_000 + (Int64(delay >> 16 & 0xffff) * 110_000) >> 16 : 0
    let time = arrivalMilliseconds(number) &- jitter &- lateness
    let fraudShare =
      settings.outcomes == nil
      ? (cents > 10_000 ? 0.03 : 0.01)
      : Self.fraudShare(
        size: normal + PortableMath.log(factor), channel: channel, timeMilliseconds: time, hasDrift: hasDrift)
    return Payment(
      number: number, user: user, merchant: merchant, cents: cents, country: Int(choices & 7), channel: channel,
      isFraud: Self.share(random.next()) < fraudShare, timeMilliseconds: time)
  }

  /// web, app, pos
  private static func channel(_ share: Double, hasDrift: Bool) -> Int {
    let (web, app) = hasDrift ? (0.6, 0.85) : (1.0 / 3, 2.0 / 3)
    return share < web ? 0 : share < app ? 1 : 2
  }

  /// A generator of its own for every event, so that events do not depend on each other.
  static func random(_ seed: UInt64, _ number: Int64) -> SplitMix64 {
    var mixer = SplitMix64(seed: UInt64(bitPattern: number))
    return SplitMix64(seed: seed ^ mixer.next())
  }

  static func share(_ random: UInt64) -> Double { Double(random >> 11) * 0x1p-53 }

  /// The sum of twelve even numbers: a normal law but for its far tails.
  static func normal(_ random: inout SplitMix64) -> Double {
    var sum: UInt64 = 0
    for _ in 0..<3 {
      let word = random.next()
      sum += (word & 0xffff) + (word >> 16 & 0xffff) + (word >> 32 & 0xffff) + (word >> 48)
    }
    return Double(sum) / 65_536 - 6
  }
}
