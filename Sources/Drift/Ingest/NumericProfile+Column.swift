internal import CDrift
package import Columns

extension NumericProfile {
  /// Adds all rows of a numeric, timestamp or date column.
  package mutating func add(_ column: Column) {
    var scratch = SumScratch()
    switch column.type {
    case .double: unsafe column.doubles.withUnsafeBufferPointer { unsafe add($0, column, &scratch) }
    case .integer, .timestamp, .date:
      var block: [Double] = []
      for start in stride(from: 0, to: column.count, by: SumScratch.blockRows) {
        block.removeAll(keepingCapacity: true)
        let end = min(start + SumScratch.blockRows, column.count)
        for row in start..<end { block.append(column.isValid[row] ? Double(column.integers[row]) : .nan) }
        unsafe block.withUnsafeBufferPointer { unsafe add($0, nulls: [], &scratch) }
      }
    case .decimal, .boolean, .string, .bytes:
      for value in NumericWindow(column).rows { add(value) }
    }
  }

  private mutating func add(_ values: UnsafeBufferPointer<Double>, _ column: Column, _ scratch: inout SumScratch) {
    for start in stride(from: 0, to: values.count, by: SumScratch.blockRows) {
      let rows = start..<min(start + SumScratch.blockRows, values.count)
      unsafe add(
        UnsafeBufferPointer(rebasing: values[rows]), nulls: column.nullCount == 0 ? [] : column.isValid[rows],
        &scratch)
    }
  }

  /// - Parameter nulls: false where a value is null, and then it is 0; empty when all are valid.
  private mutating func add(
    _ values: UnsafeBufferPointer<Double>, nulls isValid: ArraySlice<Bool>, _ scratch: inout SumScratch
  ) {
    guard let base = values.baseAddress else { return }
    let edges = [-.infinity, grid.lowest, grid.highest.nextUp] + grid.edges
    var reached = [UInt64](repeating: 0, count: edges.count)
    unsafe headrace_drift_count_double(base, values.count, edges, edges.count, &reached)
    let nullCount = isValid.count { !$0 }
    // A null was counted as the zero that its slot holds.
    if nullCount > 0 {
      for (index, edge) in edges.enumerated() where edge <= 0 { reached[index] -= UInt64(nullCount) }
    }
    let valid = Int(reached[0])
    missingCount += values.count - valid
    belowCount += valid - Int(reached[1])
    aboveCount += Int(reached[2])
    var before = valid
    for bin in grid.edges.indices {
      let count = Int(reached[3 + bin])
      counts[bin] += before - count
      before = count
    }
    counts[grid.edges.count] += before
    unsafe moments.addExtremes(values, isValid)
    unsafe scratch.add(base, values.count, to: &moments)
  }
}

extension Moments {
  /// Counts and extremes of a block; its sums are added apart.
  fileprivate mutating func addExtremes(_ values: UnsafeBufferPointer<Double>, _ isValid: ArraySlice<Bool>) {
    for index in values.indices {
      let value = unsafe values[index]
      if !isValid.isEmpty, !isValid[isValid.startIndex + index] { continue }
      guard value.isFinite else {
        if value == .infinity { positiveInfinityCount += 1 }
        if value == -.infinity { negativeInfinityCount += 1 }
        continue
      }
      count += 1
      minimum = min(minimum, value + 0)
      maximum = max(maximum, value + 0)
    }
  }
}

/// Words for the exact sums of a block of doubles.
private struct SumScratch {
  static let blockRows = 1 << 10
  private var sums = [UInt64](repeating: 0, count: 2_048)
  /// Low word, high word.
  private var squares = [UInt64](repeating: 0, count: 2 * 2_048)

  mutating func add(_ values: UnsafePointer<Double>, _ count: Int, to moments: inout Moments) {
    unsafe headrace_drift_sum_double(values, count, &sums, &squares)
    for exponent in 0..<2_048 {
      let square = UInt128(squares[2 * exponent + 1]) << 64 | UInt128(squares[2 * exponent])
      guard square != 0 else { continue }
      // The last exponent is what is not finite.
      if exponent < 2_047 {
        let weight = max(exponent, 1) - 1_075
        let sum = Int64(bitPattern: sums[exponent])
        moments.sum.add(UInt128(sum.magnitude), exponent: weight, isNegative: sum < 0)
        moments.squares.add(square, exponent: 2 * weight, isNegative: false)
      }
      sums[exponent] = 0
      squares[2 * exponent] = 0
      squares[2 * exponent + 1] = 0
    }
  }
}
