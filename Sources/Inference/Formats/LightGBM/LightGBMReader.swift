internal import Core

/// Cuts LightGBM's text into its header and its trees: `key=value` lines, a tree begins with `Tree=`.
struct LightGBMReader {
  /// One block of lines.
  struct Block {
    /// Where it begins in the file, for messages.
    var offset: Int
    /// Values by key, as ranges of the file.
    var values: [String: Range<Int>]
  }

  let bytes: [UInt8]
  private(set) var header = Block(offset: 0, values: [:])
  /// Lines of the header without a value: `average_output`.
  private(set) var flags: Set<String> = []
  private(set) var trees: [Block] = []

  init(_ bytes: [UInt8]) throws(HeadraceError) {
    self.bytes = bytes
    var position = 0
    var isEnded = false
    while position < bytes.count, !isEnded {
      let start = position
      while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
      var end = position
      position += 1
      while end > start, bytes[end - 1] == UInt8(ascii: "\r") || bytes[end - 1] == UInt8(ascii: " ") { end -= 1 }
      isEnded = bytes[start..<end].elementsEqual("end of trees".utf8)
      if !isEnded { try take(start..<end) }
    }
    guard isEnded else {
      throw ModelFault.unreadable(
        "LightGBM: the line \"end of trees\" is missing: the file is cut", place: "byte \(bytes.count)")
    }
  }

  private mutating func take(_ line: Range<Int>) throws(HeadraceError) {
    guard let equals = bytes[line].firstIndex(of: UInt8(ascii: "=")) else {
      if trees.isEmpty, line.count <= 64 { flags.insert(String(decoding: bytes[line], as: UTF8.self)) }
      return
    }
    let key = String(decoding: bytes[line.lowerBound..<equals], as: UTF8.self)
    let value = (equals + 1)..<line.upperBound
    if key == "Tree" { trees.append(Block(offset: line.lowerBound, values: [:])) }
    let previous =
      trees.isEmpty
      ? header.values.updateValue(value, forKey: key)
      : trees[trees.count - 1].values.updateValue(value, forKey: key)
    guard previous == nil else {
      throw ModelFault.unreadable("LightGBM: \(key.prefix(40)) is there twice", place: "byte \(line.lowerBound)")
    }
  }

  func text(_ key: String, in block: Block) -> String? {
    block.values[key].map { String(decoding: bytes[$0], as: UTF8.self) }
  }

  func integer(_ key: String, in block: Block, from range: ClosedRange<Int>) throws(HeadraceError) -> Int? {
    guard let text = text(key, in: block) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw invalid("\(key)=\(text.prefix(40)), expected \(range.lowerBound) to \(range.upperBound)", block, key)
    }
    return number
  }

  /// Numbers between blanks; none when the key is missing.
  func numbers(_ key: String, in block: Block) throws(HeadraceError) -> [Double] {
    guard let range = block.values[key] else { return [] }
    var numbers: [Double] = []
    var start = range.lowerBound
    while start < range.upperBound {
      var end = start
      while end < range.upperBound, bytes[end] != UInt8(ascii: " ") { end += 1 }
      if end > start {
        guard let number = NumberText.double(bytes[start..<end]) else {
          let text = String(decoding: bytes[start..<min(end, start + 40)], as: UTF8.self)
          throw ModelFault.unreadable("LightGBM: \(key) holds \"\(text)\"", place: "byte \(start)")
        }
        numbers.append(number)
      }
      start = end + 1
    }
    return numbers
  }

  func integers(_ key: String, in block: Block) throws(HeadraceError) -> [Int] {
    let numbers = try numbers(key, in: block)
    var integers: [Int] = []
    integers.reserveCapacity(numbers.count)
    for number in numbers {
      guard let integer = Int(exactly: number) else { throw invalid("\(key) holds \(number)", block, key) }
      integers.append(integer)
    }
    return integers
  }

  func invalid(_ message: String, _ block: Block, _ key: String) -> HeadraceError {
    ModelFault.invalid("LightGBM: \(message)", place: "byte \(block.values[key]?.lowerBound ?? block.offset)")
  }
}
