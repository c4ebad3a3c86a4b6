internal import Core
internal import Kafka
internal import Storage

/// A dry run: reads everything and counts it.
final class ReplayCount {
  private let selection: ReplaySelection
  private let store: (any BlobStore)?
  private let client: ClientConfiguration
  private let stop: StopRequest

  init(
    _ selection: ReplaySelection, _ store: (any BlobStore)?, _ client: ClientConfiguration, _ stop: StopRequest
  ) {
    self.selection = selection
    self.store = store
    self.client = client
    self.stop = stop
  }

  func run() throws -> (ReplayReport, ExitStatus) {
    var report = ReplayReport(selection)
    let started = WallClock.monotonic.nowMilliseconds
    let history = try ReplayHistory(selection, store, client)
    for note in history.notes { StandardError.write("note: \(note)") }
    var progress = ReplayProgress()
    var isOpen = true
    while isOpen, !stop.isRaised {
      switch try history.next(timeoutMilliseconds: 100) {
      case .done: isOpen = false
      case .nothingYet: break
      case .event(let partition):
        let isArchived = partition.isArchived
        guard let event = try partition.take(withValue: false),
          let position = selection.sources.firstIndex(of: partition.source)
        else { continue }
        report.sources[position].count(event, isArchived: isArchived)
      }
      if report.readCount % 1_024 == 0 {
        progress.draw(records: report.readCount, fraction: history.fraction, label: "read")
      }
    }
    progress.clear()
    history.addDeadLetters(to: &report)
    report.isDone = !isOpen
    report.milliseconds = WallClock.monotonic.nowMilliseconds - started
    return (report, isOpen ? stop.status ?? .success : .success)
  }
}
