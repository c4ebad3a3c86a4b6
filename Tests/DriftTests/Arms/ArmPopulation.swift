import Core
import Glibc

/// Events of keys that differ from each other: what two versions say of them, for the tests of a rollout's drift.
struct ArmPopulation {
  /// What the candidate adds to the champion's logit, from an event on.
  var shift = 0.0
  var shiftFromEvent = 0
  /// Standard deviation of keys, and of the events of one key.
  var betweenKeys = 1.0
  var withinKey = 0.5
  var keyCount = 400
  /// Of the keys that the candidate answers for.
  var share = 0.5
  private var random: SplitMix64
  private let seed: UInt64
  private var eventCount = 0

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    self.seed = seed
  }

  /// One event: its key's hash, whether the candidate answers for the key, and what both versions would say.
  mutating func next() -> (cluster: UInt64, isCandidates: Bool, champion: Double, candidate: Double) {
    // A few keys have most of the events.
    let position = Int(pow(uniform(), 2) * Double(keyCount))
    var key = SplitMix64(seed: seed &* 0x9e37_79b9 &+ UInt64(position))
    let cluster = key.next()
    let isCandidates = Double(key.next() >> 11) * 0x1p-53 < share
    let base = betweenKeys * Self.normal(&key) + withinKey * Self.normal(&random)
    let moved = eventCount >= shiftFromEvent ? shift : 0
    eventCount += 1
    return (cluster, isCandidates, Self.sigmoid(base), Self.sigmoid(base + moved))
  }

  mutating func uniform() -> Double { Double(random.next() >> 11) * 0x1p-53 }

  private static func sigmoid(_ value: Double) -> Double { 1 / (1 + exp(-value)) }

  static func normal(_ random: inout SplitMix64) -> Double {
    let (radius, angle) = (Double(random.next() >> 11) * 0x1p-53 + 0x1p-54, Double(random.next() >> 11) * 0x1p-53)
    return (-2 * log(radius)).squareRoot() * cos(2 * .pi * angle)
  }
}
