package import Core

/// Count, extremes, exact sum and exact sum of squares of the finite values of a feature; how many were infinite.
///
/// Exact and mergeable: the result depends on the set of values alone.
package struct Moments: Sendable, Equatable {
  /// Finite values.
  package internal(set) var count = 0
  package internal(set) var positiveInfinityCount = 0
  package internal(set) var negativeInfinityCount = 0
  /// Infinite, in the wrong direction, while there are no values.
  package internal(set) var minimum = Double.infinity
  package internal(set) var maximum = -Double.infinity
  var sum = ExactSum()
  var squares = ExactSum()

  package init() {}

  /// Adds a value; NaN is none.
  package mutating func add(_ value: Double) {
    guard value.isFinite else {
      if value == .infinity { positiveInfinityCount += 1 }
      if value == -.infinity { negativeInfinityCount += 1 }
      return
    }
    count += 1
    // -0 is written as 0: they are equal, and equal moments have equal bytes.
    minimum = min(minimum, value + 0)
    maximum = max(maximum, value + 0)
    sum.add(value)
    squares.addSquare(value)
  }

  package mutating func merge(_ other: Moments) {
    count += other.count
    positiveInfinityCount += other.positiveInfinityCount
    negativeInfinityCount += other.negativeInfinityCount
    minimum = min(minimum, other.minimum)
    maximum = max(maximum, other.maximum)
    sum.merge(other.sum)
    squares.merge(other.squares)
  }

  package var mean: Double? { count == 0 ? nil : sum.rounded / Double(count) }

  /// The population variance (ddof 0), from exact sums.
  ///
  /// With c near the mean and R = Σ(x - c): Σ(x - c)² = Σx² - cΣx - cR, without rounding; then nothing large cancels.
  package var variance: Double? {
    guard count > 0 else { return nil }
    let size = Double(count)
    let center = sum.rounded / size
    guard center.isFinite else { return nil }
    var rest = sum
    rest.addProduct(-center, size)
    var deviations = squares
    deviations.subtract(sum, times: center)
    deviations.subtract(rest, times: center)
    let offset = rest.rounded / size
    return max(deviations.rounded / size - offset * offset, 0)
  }

  package var standardDeviation: Double? { variance.map { $0.squareRoot() } }
}

extension Moments {
  package var encoded: [UInt8] {
    var writer = SketchWriter(.moments)
    write(to: &writer)
    return writer.bytes
  }

  package init(decoding bytes: [UInt8]) throws(HeadraceError) {
    self = try HeadraceError.decoding { () throws(SketchFault) in
      var reader = try SketchReader(bytes[...], .moments)
      let moments = try Moments(from: &reader)
      try reader.finish()
      return moments
    }
  }

  func write(to writer: inout SketchWriter) {
    writer.append(count: count)
    writer.append(count: positiveInfinityCount)
    writer.append(count: negativeInfinityCount)
    guard count > 0 else { return }
    writer.append(minimum)
    writer.append(maximum)
    sum.write(to: &writer)
    squares.write(to: &writer)
  }

  init(from reader: inout SketchReader) throws(SketchFault) {
    count = try reader.count()
    positiveInfinityCount = try reader.count()
    negativeInfinityCount = try reader.count()
    guard count > 0 else { return }
    minimum = try reader.double()
    maximum = try reader.double()
    guard minimum.isFinite, maximum.isFinite, minimum <= maximum else { throw .notCanonical("extremes") }
    sum = try ExactSum(from: &reader)
    squares = try ExactSum(from: &reader)
  }
}

extension ExactSum {
  func write(to writer: inout SketchWriter) {
    let form = canonical
    writer.append(count: form.limbs.count)
    guard !form.limbs.isEmpty else { return }
    writer.append(signed: Int64(form.base))
    for limb in form.limbs { writer.append(signed: limb) }
  }

  init(from reader: inout SketchReader) throws(SketchFault) {
    self.init()
    let count = try reader.elementCount(bytesEach: 1)
    guard count > 0 else { return }
    let base = try reader.signed()
    var limbs: [Int64] = []
    limbs.reserveCapacity(count)
    for _ in 0..<count { limbs.append(try reader.signed()) }
    guard (-200...200).contains(base), let sum = ExactSum(base: Int(base), limbs: limbs) else {
      throw .notCanonical("a sum")
    }
    self = sum
  }
}
