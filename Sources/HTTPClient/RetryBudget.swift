/// Keeps repeated requests a small part of all requests: when a service is down for all, repeating makes it worse.
///
/// Each request puts a fifth of a token in, each repetition takes one out (as Finagle and gRPC do it).
package struct RetryBudget: Sendable {
  /// In tenths of a token.
  private var balance: Int
  package static let balanceMax = 100
  private static let deposit = 2
  private static let price = 10

  /// Full, so that a client's first requests may be repeated.
  package init() { balance = Self.balanceMax }

  package mutating func requestWasSent() { balance = min(Self.balanceMax, balance + Self.deposit) }

  /// - Returns: whether one may repeat a request now.
  package mutating func takeRepetition() -> Bool {
    guard balance >= Self.price else { return false }
    balance -= Self.price
    return true
  }
}
