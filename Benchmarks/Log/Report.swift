internal import Core
internal import Glibc
internal import Kafka

/// Every workload, as the median of a few runs, beside the C loop of the same run.
struct Report {
  let bootstrap: String
  let records: Int
  let runs: Int
  let brokerProcess: Int?

  func run() throws {
    print(pad("what", 44), pad("M rec/s", 9), pad("MB/s", 7), pad("C loop", 9), pad("ratio", 7), "allocations/record")
    for valueBytes in [170, 1_024] {
      for partitionCount: Int32 in [1, 4] {
        var workload = Workload()
        // About the same number of bytes for both sizes.
        workload.records = records * 170 / valueBytes / 8_000 * 8_000
        workload.valueBytes = valueBytes
        workload.partitionCount = partitionCount
        try produce(workload, [.plain, .idempotent, .transactional])
        try consume(workload)
      }
    }
    for codec in ["lz4", "zstd"] {
      var workload = Workload()
      workload.records = records / 8_000 * 8_000
      workload.codec = .init(rawValue: codec) ?? .none
      try produce(workload, [.idempotent])
      try consume(workload)
    }
    if let brokerProcess { print("broker memory, peak: \(Self.peakMemory(ofProcess: brokerProcess) ?? "unknown")") }
  }

  private func produce(_ workload: Workload, _ modes: [ProduceMode]) throws {
    for mode in modes {
      let benchmark = ProduceBenchmark(bootstrap: bootstrap, workload: workload, mode: mode)
      try row("produce \(mode.rawValue), \(workload.name)", measure: benchmark.run, limit: benchmark.runLimit)
    }
  }

  private func consume(_ workload: Workload) throws {
    let benchmark = try ConsumeBenchmark(bootstrap: bootstrap, workload: workload)
    try row("consume, \(workload.name)", measure: { try benchmark.run() }, limit: { try benchmark.runLimit() })
  }

  private func row(
    _ name: String, measure: () throws -> Measurement, limit: () throws -> Measurement
  ) throws {
    var measured: [Measurement] = []
    var limits: [Measurement] = []
    // In turns, so that a disturbance of the machine meets both.
    for _ in 0..<runs {
      measured.append(try measure())
      limits.append(try limit())
    }
    let ours = Self.median(measured)
    let theirs = Self.median(limits)
    print(
      pad(name, 44), pad(decimal(ours.millionPerSecond, 2), 9),
      pad(decimal(Double(ours.bytes) / ours.seconds / 1e6, 0), 7), pad(decimal(theirs.millionPerSecond, 2), 9),
      pad(decimal(ours.millionPerSecond / theirs.millionPerSecond, 2), 7), decimal(ours.allocationsPerRecord, 5))
  }

  private static func median(_ measurements: [Measurement]) -> Measurement {
    measurements.sorted { $0.millionPerSecond < $1.millionPerSecond }[measurements.count / 2]
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// The high-water mark of a process's resident memory, as the kernel words it.
  private static func peakMemory(ofProcess process: Int) -> String? {
    guard let file = unsafe fopen("/proc/\(process)/status", "r") else { return nil }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while unsafe fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if text.hasPrefix("VmHWM:") { return String(text.dropFirst(6).drop { $0 == " " || $0 == "\t" }) }
    }
    return nil
  }
}
