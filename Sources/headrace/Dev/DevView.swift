internal import Core
internal import Glibc
internal import Kafka
internal import Logging
internal import Synchronization
internal import Topology

/// What `dev` shows while it runs: a screen on a terminal, lines elsewhere.
struct DevView {
  private static let drawMilliseconds: Int64 = 250
  private static let sampleMilliseconds: Int64 = 2_000
  private static let lineMilliseconds: Int64 = 10_000

  /// For everything that runs in this process.
  let logger: Logger
  private var terminal: Terminal?

  /// - Parameter logFile: where log lines go while the terminal is drawn on.
  init(logFile: String, level: Logger.Level) throws {
    let isTerminal = Terminal.isUsable
    let file = isTerminal ? try FileLogHandler(path: logFile, label: "headrace") : nil
    var logger = Logger(label: "headrace") { label in
      if let file { file } else { StreamLogHandler.standardError(label: label) }
    }
    logger.logLevel = level
    self.logger = logger
    terminal = nil
  }

  /// The ordinary screen is back; what is written now stays.
  mutating func close() { terminal = nil }

  /// Until a signal comes, or the work of a topology ends by itself.
  mutating func show(_ processes: [TopologyProcess], bootstrap: String, until stop: StopRequest) async throws {
    for process in processes { Self.announce(process, bootstrap) }
    if Terminal.isUsable { terminal = Terminal() }
    let samples = try DevSamples(processes, bootstrap: bootstrap)
    let began = WallClock.monotonic.nowMilliseconds
    var screens = processes.map { _ in DevScreen(nowMilliseconds: began) }
    var (lastSample, lastLine) = (began - Self.sampleMilliseconds, began)
    var shown: [String] = []
    while !stop.isRaised, processes.allSatisfy({ $0.failure == nil }) {
      let now = WallClock.monotonic.nowMilliseconds
      if terminal != nil, now - lastSample >= Self.sampleMilliseconds {
        samples.refresh()
        lastSample = now
      }
      if terminal == nil, now - lastLine < Self.lineMilliseconds {
        try await Task.sleep(for: .milliseconds(Self.drawMilliseconds))
        continue
      }
      lastLine = now
      for (index, process) in processes.enumerated() {
        var snapshot = DevSnapshot(process.plan, process.report(), bootstrap: bootstrap, address: process.address)
        snapshot.samples = samples.newest(of: index)
        draw(snapshot, of: index, on: &screens[index], now, &shown)
      }
      try await Task.sleep(for: .milliseconds(Self.drawMilliseconds))
    }
  }

  /// On a terminal the topologies share the screen; elsewhere a line is written when something changed.
  private func draw(
    _ snapshot: DevSnapshot, of index: Int, on screen: inout DevScreen, _ now: Int64, _ shown: inout [String]
  ) {
    guard let size = terminal?.size else {
      let line = screen.line(snapshot, nowMilliseconds: now)
      let news = String(line.drop { $0 != ":" })
      while shown.count <= index { shown.append("") }
      if shown[index] != news { StandardError.write(line) }
      shown[index] = news
      return
    }
    if index == 0 { shown = [] }
    if index > 0 { shown.append("") }
    shown += screen.draw(snapshot, columns: size.columns, rows: size.rows - shown.count, nowMilliseconds: now)
    terminal?.show(shown)
  }

  private static func announce(_ process: TopologyProcess, _ bootstrap: String) {
    let plan = process.plan
    StandardError.write("\(plan.name): Kafka \(bootstrap), console http://\(process.address)/")
    for source in plan.sources { StandardError.write("  \(source.name) reads \(source.topic)") }
    if let view = plan.views.first {
      StandardError.write("  headrace query \(view.name) KEY --server \(process.address)")
    }
  }
}

/// Samples of features, read on a thread of their own: a topic that is slow to answer does not stop the clock.
final class DevSamples: Sendable {
  private let samplers: [DevSampler]
  private let thread: BlockingThread
  private let newest: Mutex<(samples: [Int: [DevSnapshot.Sample]], isBusy: Bool)>

  init(_ processes: [TopologyProcess], bootstrap: String) throws {
    var client = ClientConfiguration(bootstrapServers: bootstrap)
    client.log = { _ in }
    samplers = processes.map { DevSampler(plan: $0.plan, client: client, features: $0.features) }
    thread = try BlockingThread(name: "samples")
    newest = Mutex(([:], false))
  }

  func newest(of index: Int) -> [DevSnapshot.Sample] { newest.withLock { $0.samples[index] ?? [] } }

  /// Looks again, unless it is looking still.
  func refresh() {
    guard
      newest.withLock({ state in
        defer { state.isBusy = true }
        return !state.isBusy
      })
    else { return }
    thread.post { [self] in
      for (index, sampler) in samplers.enumerated() {
        guard let samples = try? sampler.read() else { continue }
        newest.withLock { $0.samples[index] = samples }
      }
      newest.withLock { $0.isBusy = false }
    }
  }
}
