internal import Core

/// Code that reads bytes from outside, with what must hold whatever these bytes are.
protocol FuzzTarget {
  /// Its name on the command line, and of its corpus folder.
  static var name: String { get }

  init()

  /// Valid inputs to start from, by file name.
  func seeds() throws -> [Seed]

  /// Makes a mutated input whole again where a checksum would hide everything behind it.
  func repair(_ input: inout [UInt8], using generator: inout SplitMix64)

  /// - Returns: what happened, as a number: inputs that make something new happen are mutated further.
  /// - Throws: `Violation` when an invariant is broken.
  func execute(_ input: [UInt8]) throws(Violation) -> Signature
}

extension FuzzTarget {
  func repair(_ input: inout [UInt8], using generator: inout SplitMix64) {}
}

struct Seed {
  var name: String
  var bytes: [UInt8]
}

/// A broken invariant, in one sentence.
struct Violation: Error {
  var message: String

  init(_ message: String) { self.message = message }
}

/// A short hash (FNV-1a) of what an execution did: which branch, which error, which size class.
struct Signature: Hashable {
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ number: Int) {
    value = (value ^ UInt64(truncatingIfNeeded: number)) &* 0x100_0000_01b3
  }

  mutating func add(_ text: String) {
    for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }

  /// Sizes count by their power of two.
  mutating func add(sizeClassOf count: Int) {
    add(Int.bitWidth - max(count, 0).leadingZeroBitCount)
  }
}
