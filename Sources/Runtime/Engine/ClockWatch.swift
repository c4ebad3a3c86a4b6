internal import Core
internal import Kafka
internal import Logging
internal import Synchronization

/// Notices when the wall clock is set back.
///
/// librdkafka (seen with 2.0.2) waits until a moment of the wall clock: set back by an hour, a wait of 30 ms lasts an
/// hour, and heartbeats wait with it. Whatever wakes these threads once puts that right.
struct ClockWatch {
  /// Smaller steps do no harm.
  private static let stepMinimumMilliseconds: Int64 = 200
  private static let periodMilliseconds = 100

  private let wall: WallClock
  private let monotonic: WallClock
  private var distance: Int64

  init(wall: WallClock = .system, monotonic: WallClock = .monotonic) {
    self.wall = wall
    self.monotonic = monotonic
    distance = wall.nowMilliseconds &- monotonic.nowMilliseconds
  }

  /// - Returns: by how many milliseconds the clock was set back since the last call; nil when it was not.
  mutating func stepBack() -> Int64? {
    let former = distance
    distance = wall.nowMilliseconds &- monotonic.nowMilliseconds
    let step = former &- distance
    return step >= Self.stepMinimumMilliseconds ? step : nil
  }

  /// Wakes the workers after each such step, until the engine stops.
  static func follow(_ engine: () -> Engine?) {
    var watch = ClockWatch()
    while let engine = engine(), !engine.state.withLock({ $0.isStopping }) {
      if let step = watch.stepBack() {
        engine.logger.warning("the wall clock was set back", metadata: ["milliseconds": "\(step)"])
        for worker in engine.state.withLock({ $0.workers }) { worker.noteClockStep() }
      }
      Sleep.milliseconds(periodMilliseconds)
    }
  }
}
