internal import ArgumentParser

/// A topic name as Headrace allows it: Kafka's characters, but a letter or a digit first.
enum TopicName {
  static let rule = "1 to 249 letters, digits, '.', '_' or '-', the first of them a letter or a digit"
  private static let lengthMax = 249

  static func parse(_ text: String) throws -> String {
    let isLetterOrDigit = { (byte: UInt8) in
      (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }
    let bytes = text.utf8
    guard let first = bytes.first, isLetterOrDigit(first), bytes.count <= lengthMax,
      bytes.allSatisfy({ isLetterOrDigit($0) || [0x2e, 0x5f, 0x2d].contains($0) })
    else { throw ValidationError("'\(text)' is no topic name: a name is \(rule)") }
    return text
  }
}
