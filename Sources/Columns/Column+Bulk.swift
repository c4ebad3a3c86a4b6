/// Many rows at once, for decoders and copies: no check and no growth per value.
extension Column {
  /// Appends `count` values that `body` writes.
  ///
  /// - Parameter body: gets room for `count` values and must set all of them. When it throws, nothing was appended.
  /// - Precondition: `type.storage` is `.integers`.
  @inline(__always)
  package mutating func appendIntegers<Failure: Error>(
    _ count: Int, writing body: (UnsafeMutablePointer<Int64>) throws(Failure) -> Void
  ) throws(Failure) {
    assert(type.storage == .integers)
    try unsafe integers.append(count, writing: body)
    appendFlags(count, true)
  }

  /// - Precondition: `type` is `.double`.
  @inline(__always)
  package mutating func appendDoubles<Failure: Error>(
    _ count: Int, writing body: (UnsafeMutablePointer<Double>) throws(Failure) -> Void
  ) throws(Failure) {
    assert(type.storage == .doubles)
    try unsafe doubles.append(count, writing: body)
    appendFlags(count, true)
  }

  /// - Precondition: `type` is a decimal.
  @inline(__always)
  package mutating func appendDecimals<Failure: Error>(
    _ count: Int, writing body: (UnsafeMutablePointer<Int128>) throws(Failure) -> Void
  ) throws(Failure) {
    assert(type.storage == .decimals)
    try unsafe decimals.append(count, writing: body)
    appendFlags(count, true)
  }

  /// Appends `count` strings of together at most `maximumBytes` bytes.
  ///
  /// - Parameter body: gets room for the bytes and for each string's end, and the end of the string before them. It
  ///   returns how many bytes it wrote, and may write 16 bytes more than `maximumBytes`.
  /// - Precondition: `type.storage` is `.text`.
  @inline(__always)
  package mutating func appendText<Failure: Error>(
    _ count: Int, maximumBytes: Int,
    writing body: (UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<Int>, _ start: Int) throws(Failure) -> Int
  ) throws(Failure) {
    assert(type.storage == .text)
    let start = text.bytes.count
    var failure: Failure?
    text.bytes.append(addingCapacity: maximumBytes + 16) { (bytes: inout OutputSpan<UInt8>) in
      unsafe bytes.withUnsafeMutableBufferPointer { (bytes, written) in
        do throws(Failure) {
          guard let target = bytes.baseAddress else { return }
          try unsafe text.ends.append(count) { (ends) throws(Failure) in
            written = try unsafe body(target, ends, start)
          }
        } catch {
          failure = error
        }
      }
    }
    if let failure { throw failure }
    appendFlags(count, true)
  }

  /// Appends `count` nulls.
  package mutating func appendNulls(_ count: Int) {
    appendFlags(count, false)
    nullCount += count
    switch type.storage {
    case .integers: unsafe integers.append(count) { unsafe $0.initialize(repeating: 0, count: count) }
    case .doubles: unsafe doubles.append(count) { unsafe $0.initialize(repeating: 0, count: count) }
    case .text:
      let end = text.bytes.count
      unsafe text.ends.append(count) { unsafe $0.initialize(repeating: end, count: count) }
    case .decimals: unsafe decimals.append(count) { unsafe $0.initialize(repeating: 0, count: count) }
    }
  }

  @inline(__always)
  private mutating func appendFlags(_ count: Int, _ flag: Bool) {
    unsafe isValid.append(count) { unsafe $0.initialize(repeating: flag, count: count) }
  }
}

extension Column {
  /// Spreads the last values over more rows: of the last `flags.count` rows, those with a flag of 1 get the column's
  /// last values in their order, and the others are null.
  ///
  /// - Precondition: as many values as flags of 1 were appended for these rows.
  package mutating func spread(_ flags: UnsafeBufferPointer<UInt8>) {
    let present = unsafe flags.reduce(into: 0) { $0 += Int($1) }
    let added = flags.count - present
    guard added > 0 else { return }
    let first = isValid.count - present
    nullCount += added
    isValid.append(contentsOf: repeatElement(false, count: added))
    for index in 0..<flags.count { unsafe isValid[first + index] = flags[index] == 1 }
    switch type.storage {
    case .integers: unsafe integers.spread(from: first, flags, empty: 0)
    case .doubles: unsafe doubles.spread(from: first, flags, empty: 0)
    case .decimals: unsafe decimals.spread(from: first, flags, empty: 0)
    case .text: unsafe spreadText(from: first, flags)
    }
  }

  private mutating func spreadText(from first: Int, _ flags: UnsafeBufferPointer<UInt8>) {
    let before = first == 0 ? 0 : text.ends[first - 1]
    var next = text.ends.count
    text.ends.append(contentsOf: repeatElement(0, count: flags.count - (next - first)))
    unsafe text.ends.withUnsafeMutableBufferPointer { ends in
      for index in stride(from: flags.count - 1, through: 0, by: -1) {
        unsafe ends[first + index] = next > first ? ends[next - 1] : before
        if unsafe flags[index] == 1 { next -= 1 }
      }
    }
  }

  /// Appends rows of a column of a type with the same storage.
  package mutating func append(_ rows: Range<Int>, of other: borrowing Column) {
    assert(type.storage == other.type.storage)
    guard !rows.isEmpty else { return }
    isValid.append(contentsOf: other.isValid[rows])
    if other.nullCount > 0 { nullCount += other.isValid[rows].count { !$0 } }
    switch type.storage {
    case .integers: integers.append(contentsOf: other.integers[rows])
    case .doubles: doubles.append(contentsOf: other.doubles[rows])
    case .decimals: decimals.append(contentsOf: other.decimals[rows])
    case .text:
      let start = rows.lowerBound == 0 ? 0 : other.text.ends[rows.lowerBound - 1]
      let shift = text.bytes.count - start
      text.bytes.append(contentsOf: other.text.bytes[start..<other.text.ends[rows.upperBound - 1]])
      text.ends.append(contentsOf: other.text.ends[rows].lazy.map { $0 + shift })
    }
  }

  /// Appends rows of a column of a type with the same storage, in any order.
  ///
  /// - Parameter rows: a negative number appends a null.
  package mutating func append(rows: [Int], of other: borrowing Column) {
    assert(type.storage == other.type.storage)
    let count = rows.count
    var nulls = 0
    unsafe isValid.append(count) { target in
      for index in 0..<count {
        let flag = rows[index] >= 0 && other.isValid[rows[index]]
        unsafe (target + index).initialize(to: flag)
        nulls += flag ? 0 : 1
      }
    }
    nullCount += nulls
    switch type.storage {
    case .integers: integers.append(rows: rows, of: other.integers, empty: 0)
    case .doubles: doubles.append(rows: rows, of: other.doubles, empty: 0)
    case .decimals: decimals.append(rows: rows, of: other.decimals, empty: 0)
    case .text: for row in rows { if row < 0 { text.appendEmpty() } else { text.append(other.text[row]) } }
    }
  }

  /// Drops all rows from `count` on.
  package mutating func truncate(to count: Int) {
    guard count < self.count else { return }
    if nullCount > 0 { nullCount -= isValid[count...].count { !$0 } }
    isValid.removeLast(isValid.count - count)
    switch type.storage {
    case .integers: integers.removeLast(integers.count - count)
    case .doubles: doubles.removeLast(doubles.count - count)
    case .decimals: decimals.removeLast(decimals.count - count)
    case .text:
      text.ends.removeLast(text.ends.count - count)
      text.bytes.removeLast(text.bytes.count - (text.ends.last ?? 0))
    }
  }
}

extension Array {
  /// Appends `count` elements that `body` initialises; none when it throws.
  @inline(__always)
  fileprivate mutating func append<Failure: Error>(
    _ count: Int, writing body: (UnsafeMutablePointer<Element>) throws(Failure) -> Void
  ) throws(Failure) {
    guard count > 0 else { return }
    var failure: Failure?
    append(addingCapacity: count) { (span: inout OutputSpan<Element>) in
      unsafe span.withUnsafeMutableBufferPointer { (buffer, initializedCount) in
        guard let target = buffer.baseAddress else { return }
        do throws(Failure) {
          try unsafe body(target)
          initializedCount = count
        } catch {
          failure = error
        }
      }
    }
    if let failure { throw failure }
  }

  /// Appends elements of another array; `empty` for a negative number.
  fileprivate mutating func append(rows: [Int], of other: [Element], empty: Element) {
    let count = rows.count
    unsafe append(count) { target in
      for index in 0..<count {
        let row = rows[index]
        unsafe (target + index).initialize(to: row < 0 ? empty : other[row])
      }
    }
  }

  fileprivate mutating func spread(from first: Int, _ flags: UnsafeBufferPointer<UInt8>, empty: Element) {
    var next = count
    append(contentsOf: repeatElement(empty, count: flags.count - (next - first)))
    unsafe withUnsafeMutableBufferPointer { values in
      for index in stride(from: flags.count - 1, through: 0, by: -1) {
        if unsafe flags[index] == 1 {
          next -= 1
          unsafe values[first + index] = values[next]
        } else {
          unsafe values[first + index] = empty
        }
      }
    }
  }
}
