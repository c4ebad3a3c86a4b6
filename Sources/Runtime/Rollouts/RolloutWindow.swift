package import Registry

/// The figures of a rollout since it began, and those of its newest predictions.
///
/// Gates look at the newest predictions, as many as they ask for: a fault that comes late is not hidden behind hours in
/// which all was well. Kept in slices of an eighth of the smallest gate's window, which are dropped when no gate
/// reaches back to them. Where a slice ends follows from the predictions alone: whoever reads them again decides alike.
package struct RolloutWindow: Sendable {
  /// Since it began.
  package private(set) var total = RolloutFigures()
  /// The last one is not full yet.
  private var slices = [RolloutFigures()]
  /// What its drift gates have seen.
  package internal(set) var drift: RolloutDrift
  private let slicePredictions: Int
  private let predictionsMax: Int

  private static let slicesOfWindow = 8

  package init(_ gates: [RolloutGate], drift: RolloutDrift = RolloutDrift()) {
    self.drift = drift
    let windows = gates.map { max($0.predictionsMin, 1) }
    slicePredictions = max((windows.min() ?? 1) / Self.slicesOfWindow, 1)
    predictionsMax = windows.max() ?? 0
  }

  /// Takes what one prediction says, once for the total and once for the newest slice.
  ///
  /// - Returns: whether it was the last one of a slice: gates are held against the figures there, and nowhere else, so
  ///   that a verdict does not depend on when somebody looked.
  @discardableResult package mutating func add(_ change: (inout RolloutFigures) -> Void) -> Bool {
    change(&total)
    let last = slices.count - 1
    change(&slices[last])
    guard slices[last].challenger.predictions >= slicePredictions else { return false }
    slices.append(RolloutFigures())
    var kept = slices.reduce(0) { $0 + $1.challenger.predictions }
    while let first = slices.first, slices.count > 1, kept - first.challenger.predictions >= predictionsMax {
      kept -= first.challenger.predictions
      slices.removeFirst()
    }
    return true
  }

  /// The figures over the newest predictions of the challenger: at least so many, unless there are fewer.
  package func newest(_ predictions: Int) -> RolloutFigures {
    var figures = RolloutFigures()
    for slice in slices.reversed() {
      guard figures.challenger.predictions < predictions else { break }
      figures.merge(slice)
    }
    return figures
  }
}
