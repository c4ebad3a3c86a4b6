internal import Core

/// What became of a payment: charged back, or settled. Known hours after it was made.
struct PaymentOutcome: Sendable, Equatable {
  var number: Int64
  var user: Int
  var isChargedBack: Bool
  /// When it is known: the event time, epoch milliseconds.
  var timeMilliseconds: Int64

  /// Appends the outcome as one JSON object, without a line feed: an event of `payments.outcomes`.
  ///
  /// - Returns: where the user's name is in `bytes`.
  func append(to bytes: inout [UInt8]) -> Range<Int> {
    let key = Payment.appendIdentity(number: number, user: user, to: &bytes)
    bytes.append(contentsOf: Self.chargedBack)
    bytes.append(isChargedBack ? 0x31 : 0x30)
    bytes.append(contentsOf: Self.time)
    Payment.append(timeMilliseconds, to: &bytes)
    bytes.append(UInt8(ascii: "}"))
    return key
  }

  private static let chargedBack = Array(#"","charged_back":"#.utf8)
  private static let time = Array(#","ts":"#.utf8)
}

extension PaymentsGenerator {
  /// Payments whose outcome depends on what they are, and is told hours later in a stream of its own.
  ///
  /// Users differ in how much they pay. Before the drift fraud is large for its user and comes from the web; behind it
  /// fraud is small and comes from the app. At night there is more of it all the time. So a model that has learned from
  /// the past is wrong about what comes after (concept drift), while amounts and channels move too (covariate shift).
  struct Outcomes: Sendable, Equatable {
    /// From a payment's arrival on.
    var delayMillisecondsMinimum: Int64 = 30 * 60_000
    var delayMillisecondsMaximum: Int64 = 12 * 3_600_000
  }

  /// What becomes of the payment `number`.
  ///
  /// - Returns: nil where outcomes are not asked for, and of what is no payment of its own.
  func outcome(_ number: Int64) -> PaymentOutcome? {
    guard let outcomes = settings.outcomes, kind(number) == .plain else { return nil }
    let payment = payment(number)
    var random = Self.random(settings.seed ^ 0x6f75_7463, number)
    let span = Double(outcomes.delayMillisecondsMaximum - outcomes.delayMillisecondsMinimum)
    let delay = outcomes.delayMillisecondsMinimum + Int64(Self.share(random.next()) * span)
    return PaymentOutcome(
      number: number, user: payment.user, isChargedBack: payment.isFraud,
      timeMilliseconds: arrivalMilliseconds(number) &+ delay)
  }

  /// How much a user pays beside others, as the logarithm of a factor.
  func level(ofUser user: Int) -> Double {
    guard settings.outcomes != nil else { return 0 }
    var random = Self.random(settings.seed ^ 0x6c65_7665, Int64(user))
    return 0.8 * Self.normal(&random)
  }

  /// By how much an amount is another one because of the drift. With outcomes those from the web grow and the others
  /// shrink: a change of what people buy, where one factor for all would be taken for one of the unit.
  func amountFactor(channel: Int, hasDrift: Bool) -> Double {
    guard hasDrift, let drift = settings.drift else { return 1 }
    return settings.outcomes == nil || channel == 0 ? drift.amountFactor : 0.5
  }

  /// The probability that a payment is charged back.
  ///
  /// - Parameters:
  ///   - size: the logarithm of its amount beside what is usual for its user.
  ///   - channel: 0 web, 1 app, 2 point of sale.
  static func fraudShare(size: Double, channel: Int, timeMilliseconds: Int64, hasDrift: Bool) -> Double {
    let isNight = timeMilliseconds / 3_600_000 % 24 < 6
    let common = isNight ? 0.9 : 0
    let logit =
      hasDrift
      ? -2.9 + common - 0.9 * size + (channel == 1 ? 1.4 : 0) : -3.4 + common + 1.1 * size + (channel == 0 ? 1.3 : 0)
    return 1 / (1 + PortableMath.exp(-min(max(logit, -30), 30)))
  }
}
