/// Makes the random part of member ids. A value with a seed, so that a test knows the ids beforehand; the server seeds
/// it from the system's generator.
struct MemberIDGenerator: Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// `<prefix>-<32 hexadecimal digits in the groups of a UUID>`.
  mutating func next(prefix: String) -> String {
    let digits = hexadecimal(next()) + hexadecimal(next())
    var id = prefix
    var rest = digits[...]
    for length in [8, 4, 4, 4, 12] {
      id += "-"
      id += rest.prefix(length)
      rest = rest.dropFirst(length)
    }
    return id
  }

  private func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
  private mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
