package import Core

/// Counts what becomes of a model's numbers once true ones are known: mergeable, from exact sums of its errors.
package struct RegressionAccumulator: Sendable, Equatable {
  package private(set) var count = 0
  /// Pairs with a value that is not finite: counted and left out.
  package private(set) var invalidCount = 0
  private var errors = ExactSum()
  private var absolute = ExactSum()
  private var squares = ExactSum()
  private var fourths = ExactSum()
  private var truths = Moments()

  package init() {}

  package mutating func add(prediction: Double, truth: Double) {
    let error = prediction - truth
    guard error.isFinite else {
      invalidCount += 1
      return
    }
    count += 1
    errors.add(error)
    absolute.add(error.magnitude)
    squares.addSquare(error)
    let square = error * error
    if square.isFinite { fourths.addSquare(square) }
    truths.add(truth)
  }

  package mutating func merge(_ other: RegressionAccumulator) {
    count += other.count
    invalidCount += other.invalidCount
    errors.merge(other.errors)
    absolute.merge(other.absolute)
    squares.merge(other.squares)
    fourths.merge(other.fourths)
    truths.merge(other.truths)
  }

  /// Mean error: above zero where predictions are too high.
  package func bias(confidence: Double = 0.95) -> Interval? {
    Interval.mean(errors, squares: squares, count: count, confidence: confidence)
  }

  package func meanAbsoluteError(confidence: Double = 0.95) -> Interval? {
    Interval.mean(absolute, squares: squares, count: count, confidence: confidence)
  }

  /// The interval is that of the mean square, under the root.
  package func rootMeanSquareError(confidence: Double = 0.95) -> Interval? {
    Interval.mean(squares, squares: fourths, count: count, confidence: confidence).map {
      $0.map { max($0, 0).squareRoot() }
    }
  }

  /// 1 - Σ error² / Σ (truth - mean)²; nil when the truth is constant. Its interval needs the events:
  /// `PoissonBootstrap`.
  package var determination: Double? {
    guard let variance = truths.variance, variance > 0 else { return nil }
    return 1 - squares.rounded / (variance * Double(count))
  }
}

extension RegressionAccumulator {
  package var encoded: [UInt8] {
    var writer = SketchWriter(.regression)
    writer.append(count: count)
    writer.append(count: invalidCount)
    for sum in [errors, absolute, squares, fourths] { sum.write(to: &writer) }
    truths.write(to: &writer)
    return writer.bytes
  }

  package init(decoding bytes: [UInt8]) throws(HeadraceError) {
    self = try HeadraceError.decoding { () throws(SketchFault) in
      var reader = try SketchReader(bytes[...], .regression)
      var accumulator = RegressionAccumulator()
      accumulator.count = try reader.count()
      accumulator.invalidCount = try reader.count()
      accumulator.errors = try ExactSum(from: &reader)
      accumulator.absolute = try ExactSum(from: &reader)
      accumulator.squares = try ExactSum(from: &reader)
      accumulator.fourths = try ExactSum(from: &reader)
      accumulator.truths = try Moments(from: &reader)
      guard accumulator.truths.count == accumulator.count else { throw .notCanonical("counts") }
      try reader.finish()
      return accumulator
    }
  }
}
