internal import Core

/// Whether the training may go on, and whom to tell.
struct TrainingWatch {
  let isCancelled: () -> Bool
  let deadlineMilliseconds: Int64
  let timeoutMilliseconds: Int64
  let place: String
  let progress: (TrainingJob.Progress) -> Void

  var isOver: Bool { WallClock.monotonic.nowMilliseconds >= deadlineMilliseconds }

  /// - Throws: `TRAINING_CANCELLED`, `TRAINING_TIMEOUT`.
  func check() throws(HeadraceError) {
    guard !isCancelled() else { throw .trainingCancelled }
    guard !isOver else { throw .trainingTimeout(timeoutMilliseconds, place: place) }
  }
}
