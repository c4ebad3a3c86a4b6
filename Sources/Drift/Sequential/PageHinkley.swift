/// A change of the mean of a stream, by the cumulated deviations from the running mean (Page 1954, Hinkley 1971), with
/// fading as in river. The state is a plain value.
package struct PageHinkley: Sendable, Equatable {
  package enum Direction: Sendable { case up, down, both }

  package struct Configuration: Sendable, Equatable {
    /// Values before the first decision.
    package var minimumCount = 30
    /// Changes of the mean below this are tolerated, in the unit of the values.
    package var tolerance = 0.005
    /// Cumulated deviation that is a change, in the unit of the values: scale it with them.
    package var threshold = 50.0
    /// How much of the cumulated deviation is kept from one value to the next.
    package var fading = 0.9999
    package var direction = Direction.both

    package init() {}
  }

  package let configuration: Configuration
  package private(set) var count = 0
  package private(set) var mean = 0.0
  private var rise = 0.0
  private var fall = 0.0
  private var riseMinimum = Double.infinity
  /// river's start: the greatest fall before any value.
  private var fallMaximum = -1.0

  package init(_ configuration: Configuration = .init()) { self.configuration = configuration }

  /// Takes the next value; what is not finite is left out.
  ///
  /// - Returns: whether the mean has changed; the detector then begins anew with the next value.
  @discardableResult
  package mutating func add(_ value: Double) -> Bool {
    guard value.isFinite else { return false }
    count += 1
    mean += (value - mean) / Double(count)
    let deviation = value - mean
    rise = configuration.fading * rise + deviation - configuration.tolerance
    fall = configuration.fading * fall + deviation + configuration.tolerance
    riseMinimum = min(riseMinimum, rise)
    fallMaximum = max(fallMaximum, fall)
    guard count >= configuration.minimumCount else { return false }
    let isUp = rise - riseMinimum > configuration.threshold
    let isDown = fallMaximum - fall > configuration.threshold
    let isChange =
      switch configuration.direction {
      case .up: isUp
      case .down: isDown
      case .both: isUp || isDown
      }
    if isChange { self = PageHinkley(configuration) }
    return isChange
  }
}
