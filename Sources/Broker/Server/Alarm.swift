internal import NIOCore

/// One timer that always stands at the earliest moment anybody asked for.
final class Alarm {
  private let loop: any EventLoop
  private let action: () -> Void
  private var scheduled: (dueMilliseconds: Int64, task: Scheduled<Void>)?

  /// - Parameter action: runs on the loop when the time has come; it may set the alarm again.
  init(loop: any EventLoop, action: @escaping () -> Void) {
    self.loop = loop
    self.action = action
  }

  /// - Parameter dueMilliseconds: on the clock that `nowMilliseconds` is read from; nil changes nothing.
  func ring(at dueMilliseconds: Int64?, nowMilliseconds: Int64) {
    guard let due = dueMilliseconds else { return }
    if let scheduled, scheduled.dueMilliseconds <= due { return }
    scheduled?.task.cancel()
    let delay = TimeAmount.milliseconds(max(due - nowMilliseconds, 0))
    let task = loop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
      self?.scheduled = nil
      self?.action()
    }
    scheduled = (due, task)
  }

  func cancel() {
    scheduled?.task.cancel()
    scheduled = nil
  }
}
