internal import Core

/// Makes the random part of member ids. A value with a seed, so that a test knows the ids beforehand; the server seeds
/// it from the system's generator.
struct MemberIDGenerator: Sendable {
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// `<prefix>-<32 hexadecimal digits in the groups of a UUID>`.
  mutating func next(prefix: String) -> String {
    let digits = random.next().hexadecimal + random.next().hexadecimal
    var id = prefix
    var rest = digits[...]
    for length in [8, 4, 4, 4, 12] {
      id += "-"
      id += rest.prefix(length)
      rest = rest.dropFirst(length)
    }
    return id
  }
}
