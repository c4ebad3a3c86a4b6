internal import Core

/// Changes inputs at random, with a taste for what breaks readers: lengths, signs, borders and cuts.
struct Mutator {
  /// Values at which code changes its mind: borders of signed and unsigned integers of every width.
  private static let interesting: [UInt64] = [
    0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe,
    0xffff_ffff, 0x1_0000_0000, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, .max,
  ]

  let maximumBytes: Int

  /// Applies a few mutations, one upon the other.
  /// - Parameter pool: what to splice with; not empty.
  func mutate(_ input: inout [UInt8], pool: [[UInt8]], using generator: inout SplitMix64) {
    for _ in 0...generator.below(4) {
      mutateOnce(&input, pool: pool, using: &generator)
    }
    if input.count > maximumBytes { input.removeSubrange(maximumBytes...) }
  }

  private func mutateOnce(_ input: inout [UInt8], pool: [[UInt8]], using generator: inout SplitMix64) {
    guard !input.isEmpty else { return input = pool[generator.below(pool.count)] }
    let position = generator.below(input.count)
    switch generator.below(14) {
    case 0: input[position] ^= 1 << UInt8(generator.below(8))
    case 1: input[position] = generator.byte()
    case 2: input[position] &+= generator.oneIn(2) ? 1 : 0xff
    case 3: overwrite(&input, at: position, with: Self.bigEndian(interesting(&generator), generator.below(4)))
    case 4: overwrite(&input, at: position, with: Self.varint(interesting(&generator)))
    case 5: input.insert(contentsOf: Self.varint(interesting(&generator)), at: position)
    case 6, 7: editLength(&input, at: position, using: &generator)
    case 8: input.removeSubrange(position...)
    case 9: extend(&input, using: &generator)
    case 10: input.removeSubrange(position..<min(input.count, position + 1 + generator.below(16)))
    case 11: repeatPart(&input, at: position, using: &generator)
    case 12: splice(&input, at: position, with: pool[generator.below(pool.count)], using: &generator)
    default: copyWithin(&input, to: position, using: &generator)
    }
  }

  private func interesting(_ generator: inout SplitMix64) -> UInt64 {
    Self.interesting[generator.below(Self.interesting.count)]
  }

  /// Reads 2 or 4 bytes as a length, or makes them one, and moves it a little, far, or to just what is left.
  private func editLength(_ input: inout [UInt8], at position: Int, using generator: inout SplitMix64) {
    let widthClass = generator.oneIn(2) ? 1 : 2
    let width = 1 << widthClass
    guard position + width <= input.count else { return }
    let old = input[position..<position + width].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let rest = UInt64(input.count - position - width)
    let choices: [UInt64] = [old &+ 1, old &- 1, old &* 2, rest, rest &+ 1, rest &- 1, 0, .max]
    overwrite(&input, at: position, with: Self.bigEndian(choices[generator.below(choices.count)], widthClass))
  }

  private func extend(_ input: inout [UInt8], using generator: inout SplitMix64) {
    let fill: UInt8? = [nil, 0, 0xff][generator.below(3)]
    for _ in 0..<(1 << generator.below(9)) { input.append(fill ?? generator.byte()) }
  }

  private func repeatPart(_ input: inout [UInt8], at position: Int, using generator: inout SplitMix64) {
    let part = Array(input[position..<min(input.count, position + 1 + generator.below(32))])
    for _ in 0...generator.below(8) where input.count < maximumBytes { input.insert(contentsOf: part, at: position) }
  }

  private func splice(
    _ input: inout [UInt8], at position: Int, with other: [UInt8], using generator: inout SplitMix64
  ) {
    input.removeSubrange(position...)
    input += other[generator.below(other.count)...]
  }

  private func copyWithin(_ input: inout [UInt8], to position: Int, using generator: inout SplitMix64) {
    let source = generator.below(input.count)
    overwrite(&input, at: position, with: Array(input[source..<min(input.count, source + 1 + generator.below(32))]))
  }

  private func overwrite(_ input: inout [UInt8], at position: Int, with bytes: [UInt8]) {
    for (index, byte) in bytes.enumerated() where position + index < input.count { input[position + index] = byte }
  }

  /// The low `1 << widthClass` bytes of a value.
  private static func bigEndian(_ value: UInt64, _ widthClass: Int) -> [UInt8] {
    let width = 1 << widthClass
    return (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (width - 1 - $0))) }
  }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
    return bytes
  }
}
