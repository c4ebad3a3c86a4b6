internal import Core
internal import Synchronization

/// Which requests are sampled: of each service so many a second at most, at times that nobody can keep in step with.
final class SampleGates: Sendable {
  /// One for each service, and one for plain lists of features.
  private let gates: [Gate]
  private let intervalNanoseconds: UInt64

  private final class Gate: Sendable {
    let opensAtNanoseconds = Atomic<UInt64>(0)
  }

  /// - Returns: nil when none are.
  init?(serviceCount: Int, perSecond: Int) {
    guard perSecond > 0 else { return nil }
    gates = (0...serviceCount).map { _ in Gate() }
    intervalNanoseconds = 1_000_000_000 / UInt64(perSecond)
  }

  /// Whether a request that came at `now` is sampled. One load for those that are not.
  ///
  /// - Parameter service: nil for a plain list.
  func open(_ service: Int?, nowNanoseconds now: UInt64) -> Bool {
    let gate = gates[service ?? gates.count - 1]
    let opensAt = gate.opensAtNanoseconds.load(ordering: .relaxed)
    guard now >= opensAt else { return false }
    // Half of the interval to one and a half of it.
    var random = SplitMix64(seed: now)
    let next = now &+ intervalNanoseconds / 2 &+ random.next() % max(intervalNanoseconds, 1)
    return gate.opensAtNanoseconds.compareExchange(expected: opensAt, desired: next, ordering: .relaxed).exchanged
  }
}
