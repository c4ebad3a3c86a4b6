internal import Core
internal import Inference

/// Corrupted copies of a model file: bits turned, bytes replaced, ends cut off, pieces doubled. Each must be read or
/// refused; what is read must be scored as plain code scores it, which `CompiledModel` makes sure of.
enum ModelBreaker {
  static func run(_ words: [String]) throws -> String {
    guard let count = Int(words[2]), let seed = UInt64(words[3]) else {
      throw HeadraceError(.user, "COMMAND", "a count and a seed are expected")
    }
    let original = try Files.read(words[1])
    var generator = SplitMix64(seed: seed)
    var read = 0
    var refused = 0
    for _ in 0..<count {
      let bytes = broken(original, &generator)
      do throws(HeadraceError) {
        _ = try CompiledModel(try Model(bytes, place: "broken"))
        read += 1
      } catch {
        guard error.code.hasPrefix("MODEL_") else { throw error.at("seed \(seed)") }
        refused += 1
      }
    }
    return "\(read) \(refused)"
  }

  private static func broken(_ original: [UInt8], _ generator: inout SplitMix64) -> [UInt8] {
    var bytes = original
    for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
      let at = Int.random(in: bytes.indices, using: &generator)
      switch generator.next() % 8 {
      case 0: bytes.removeLast(bytes.count - at)
      case 1: bytes.removeSubrange(at..<min(at + 16, bytes.count))
      case 2: bytes.insert(contentsOf: bytes[at..<min(at + 64, bytes.count)], at: at)
      case 3: bytes[at] = UInt8.random(in: 0...255, using: &generator)
      case 4: bytes[at] = [0, 0x7f, 0x80, 0xff][Int(generator.next() % 4)]
      case 5: bytes[at] = Array("0123456789-.eE ,".utf8)[Int(generator.next() % 16)]
      default: bytes[at] ^= 1 << UInt8(generator.next() % 8)
      }
    }
    return bytes
  }
}
