internal import Columns

/// Functions of texts. Characters are Unicode scalars. A result of more than 1 MiB is null.
extension Machine {
  func length(_ operand: Program.Operand, inBytes: Bool, into result: inout Register) {
    combineValidity([operand], into: &result)
    unsafe texts(operand) { texts in
      for row in 0..<rowCount {
        result.integers[row] = unsafe Int64(inBytes ? texts[row].count : UTF8Text.scalarCount(texts[row]))
      }
    }
    clearNulls(of: &result, Int64.self)
  }

  func test(_ test: TextTest, _ operands: [Program.Operand], into result: inout Register) {
    switch test {
    case .startsWith:
      unsafe testTexts(operands, into: &result) { text, part in
        unsafe text.count >= part.count && Text.order(Text.Bytes(rebasing: text[..<part.count]), part) == 0
      }
    case .endsWith:
      unsafe testTexts(operands, into: &result) { text, part in
        unsafe text.count >= part.count
          && Text.order(Text.Bytes(rebasing: text[(text.count - part.count)...]), part) == 0
      }
    case .contains:
      unsafe testTexts(operands, into: &result) { text, part in unsafe UTF8Text.find(part, in: text, from: 0) != nil }
    }
  }

  func like(_ operand: Program.Operand, _ pattern: LikePattern, into result: inout Register) {
    combineValidity([operand], into: &result)
    unsafe texts(operand) { texts in
      for row in 0..<rowCount { result.integers[row] = unsafe pattern.matches(texts[row]) ? 1 : 0 }
    }
    clearNulls(of: &result, Int64.self)
  }

  /// Writes a text for each row that is not null; `write` says false for a fault.
  @inline(__always)
  func writeTexts(
    _ operands: [Program.Operand], into result: inout Register, _ write: (Int, inout [UInt8]) -> Bool
  ) {
    combineValidity(operands, into: &result)
    var bytes: [UInt8] = []
    swap(&bytes, &result.bytes)
    for row in 0..<rowCount {
      if result.hasNulls, !result.validity[row] {
        result.text.appendEmpty()
        continue
      }
      bytes.removeAll(keepingCapacity: true)
      if write(row, &bytes), bytes.count <= ExpressionLimits.textResultBytesMax {
        unsafe result.text.append(bytes.span.bytes)
      } else {
        result.appendFault(row, rowCount: rowCount)
      }
    }
    swap(&bytes, &result.bytes)
  }
}

extension Machine {
  func mapText(_ map: TextMap, _ operand: Program.Operand, into result: inout Register) {
    unsafe texts(operand) { texts in
      writeTexts([operand], into: &result) { row, bytes in
        switch map {
        case .lower, .upper: unsafe Self.changeCase(texts[row], isUpper: map == .upper, to: &bytes)
        case .trim, .ltrim, .rtrim: unsafe Self.trim(texts[row], map, to: &bytes)
        }
        return true
      }
    }
  }

  private static func changeCase(_ text: Text.Bytes, isUpper: Bool, to bytes: inout [UInt8]) {
    let first: UInt8 = isUpper ? 0x61 : 0x41
    var index = 0
    while index < text.count {
      let byte = unsafe text[index]
      if byte < 0x80 {
        bytes.append(byte >= first && byte < first + 26 ? byte ^ 0x20 : byte)
        index += 1
        continue
      }
      let length = unsafe UTF8Text.scalarLength(text, at: index)
      if let scalar = unsafe UTF8Text.scalar(text, at: index, length: length) {
        // A mapping is of three scalars at most: the string of it lives in registers, not on the heap.
        let properties = scalar.properties
        bytes.append(contentsOf: (isUpper ? properties.uppercaseMapping : properties.lowercaseMapping).utf8)
      } else {
        unsafe bytes.append(contentsOf: text[index..<index + length])
      }
      index += length
    }
  }

  private static func trim(_ text: Text.Bytes, _ map: TextMap, to bytes: inout [UInt8]) {
    var (start, end) = (0, text.count)
    while map != .rtrim, start < end, unsafe isBlank(text[start]) { start += 1 }
    while map != .ltrim, end > start, unsafe isBlank(text[end - 1]) { end -= 1 }
    unsafe bytes.append(contentsOf: text[start..<end])
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

  func concatenate(_ operands: [Program.Operand], into result: inout Register) {
    writeTexts(operands, into: &result) { row, bytes in
      for operand in operands {
        unsafe texts(operand) { texts in unsafe bytes.append(contentsOf: texts[row]) }
      }
      return true
    }
  }

  /// As SQL: the characters from `start` up to `start + length`, of which those before 1 do not exist. A negative
  /// length is a fault.
  func substring(_ operands: [Program.Operand], into result: inout Register) {
    unsafe texts(operands[0]) { texts in
      unsafe lanes(operands[1], Int64.self) { starts in
        unsafe lanes(operands[2], Int64.self) { lengths in
          writeTexts(operands, into: &result) { row, bytes in
            let (text, start, length) = unsafe (texts[row], starts[row], lengths[row])
            guard length >= 0 else { return false }
            let (sum, overflow) = start.addingReportingOverflow(length)
            let end = overflow ? Int64.max : sum
            let first = max(start, 1)
            guard end > first else { return true }
            let from = unsafe UTF8Text.advance(text, from: 0, by: first - 1)
            let to = unsafe UTF8Text.advance(text, from: from, by: end - first)
            unsafe bytes.append(contentsOf: text[from..<to])
            return true
          }
        }
      }
    }
  }

  /// Every occurrence, from the left; an empty `old` is nowhere.
  func replace(_ operands: [Program.Operand], into result: inout Register) {
    unsafe texts(operands[0]) { texts in
      unsafe self.texts(operands[1]) { olds in
        unsafe self.texts(operands[2]) { news in
          writeTexts(operands, into: &result) { row, bytes in
            let (text, old) = unsafe (texts[row], olds[row])
            var index = 0
            while !old.isEmpty, let found = unsafe UTF8Text.find(old, in: text, from: index) {
              unsafe bytes.append(contentsOf: text[index..<found])
              unsafe bytes.append(contentsOf: news[row])
              index = found + old.count
              guard bytes.count <= ExpressionLimits.textResultBytesMax else { return false }
            }
            unsafe bytes.append(contentsOf: text[index...])
            return true
          }
        }
      }
    }
  }

  /// Parts count from 1, or from -1 backwards; a part that does not exist is empty, part 0 is a fault. Without a
  /// separator the text is one part.
  func splitPart(_ operands: [Program.Operand], into result: inout Register) {
    unsafe texts(operands[0]) { texts in
      unsafe self.texts(operands[1]) { separators in
        unsafe lanes(operands[2], Int64.self) { numbers in
          writeTexts(operands, into: &result) { row, bytes in
            let (text, separator) = unsafe (texts[row], separators[row])
            guard unsafe numbers[row] != 0 else { return false }
            var wanted = unsafe numbers[row]
            if wanted < 0 {
              let (fromFront, overflow) = unsafe wanted.addingReportingOverflow(Self.partCount(text, separator) + 1)
              guard !overflow, fromFront > 0 else { return true }
              wanted = fromFront
            }
            if let part = unsafe Self.part(wanted, of: text, separator) { unsafe bytes.append(contentsOf: text[part]) }
            return true
          }
        }
      }
    }
  }

  private static func partCount(_ text: Text.Bytes, _ separator: Text.Bytes) -> Int64 {
    guard !separator.isEmpty else { return 1 }
    var count: Int64 = 1
    var index = 0
    while let found = unsafe UTF8Text.find(separator, in: text, from: index) {
      count += 1
      index = found + separator.count
    }
    return count
  }

  private static func part(_ number: Int64, of text: Text.Bytes, _ separator: Text.Bytes) -> Range<Int>? {
    guard !separator.isEmpty else { return number == 1 ? 0..<text.count : nil }
    var start = 0
    var rest = number
    while let found = unsafe UTF8Text.find(separator, in: text, from: start) {
      rest -= 1
      if rest == 0 { return start..<found }
      start = found + separator.count
    }
    return rest == 1 ? start..<text.count : nil
  }
}
