internal import Core

/// Generated events as JSON Lines on stdout.
struct GeneratedLines: Sendable {
  private let generator: PaymentsGenerator
  private let count: Int64
  private let pace: Pacer.Pace
  private let stop: StopRequest

  init(_ generator: PaymentsGenerator, count: Int64?, pace: Pacer.Pace, _ stop: StopRequest) {
    self.generator = generator
    self.count = count ?? .max
    self.pace = pace
    self.stop = stop
  }

  func run() throws -> ExitStatus {
    var pacer = Pacer(pace)
    var output = StandardOutput()
    var number: Int64 = 0
    while number < count {
      if let status = stop.status {
        try output.flush()
        return status
      }
      // A wait begins with everything written that is due.
      let wait = pacer.waitMilliseconds(eventTime: nil, nowMilliseconds: WallClock.monotonic.nowMilliseconds)
      if wait > 0 {
        try output.flush()
        Pause.milliseconds(min(wait, 100))
        continue
      }
      _ = generator.append(number, to: &output.buffer)
      output.buffer.append(UInt8(ascii: "\n"))
      try output.flushIfFull()
      number += 1
    }
    try output.flush()
    return .success
  }
}
