/// Keeps repeated requests a small part of all requests: when a service is down for all, repeating makes it worse.
///
/// Each request puts a fifth of a token in, each repetition takes one out (as Finagle and gRPC do it).
struct RetryBudget: Sendable {
  /// In tenths of a token.
  private var balance: Int
  static let balanceMax = 100
  private static let deposit = 2
  private static let price = 10

  /// Full, so that a client's first requests may be repeated.
  init() { balance = Self.balanceMax }

  mutating func requestWasSent() { balance = min(Self.balanceMax, balance + Self.deposit) }

  /// - Returns: whether one may repeat a request now.
  mutating func takeRepetition() -> Bool {
    guard balance >= Self.price else { return false }
    balance -= Self.price
    return true
  }
}
