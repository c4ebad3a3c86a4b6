internal import Core
internal import Glibc
internal import Kafka

/// What is written and read.
struct Workload {
  var records = 2_000_000
  var valueBytes = 170
  var partitionCount: Int32 = 1
  var codec = ProducerConfiguration.Compression.none

  /// Payment events as JSON of exactly `valueBytes` bytes each, back to back; compressible as such events are.
  func values(count: Int) -> [UInt8] {
    var state: UInt64 = 42
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count * valueBytes)
    for index in 0..<count {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let event = """
        {"event_id":"\(String(state, radix: 16))","user_id":\(state >> 44),"amount":\((state >> 33) % 100_000),\
        "channel":"\(state >> 40 & 1 == 0 ? "web" : "shop")","ts":\(1_700_000_000_000 + index),"note":"
        """
      var text = Array(event.utf8.prefix(valueBytes - 2))
      while text.count < valueBytes - 2 { text.append(UInt8(ascii: "a") + UInt8(truncatingIfNeeded: text.count % 23)) }
      bytes += text + Array("\"}".utf8)
    }
    return bytes
  }

  var name: String { "\(valueBytes) B, \(partitionCount) part.\(codec == .none ? "" : ", \(codec.rawValue)")" }
}

/// One measured run.
struct Measurement {
  var records: Int
  var bytes: Int
  var seconds: Double
  /// Allocations of the thread that worked.
  var allocations: UInt64

  var millionPerSecond: Double { Double(records) / seconds / 1e6 }
  var allocationsPerRecord: Double { Double(allocations) / Double(max(records, 1)) }

  var summary: String {
    "\(decimal(millionPerSecond, 3)) M records/s, \(decimal(Double(bytes) / seconds / 1e6, 0)) MB/s, "
      + "\(decimal(allocationsPerRecord, 6)) allocations per record (\(allocations) in all)"
  }
}

/// A number with a fixed count of decimals.
func decimal(_ value: Double, _ decimals: Int) -> String {
  let scale = pow(10, Double(decimals))
  let scaled = (value * scale).rounded()
  guard scaled.isFinite, abs(scaled) < 1e15 else { return "\(value)" }
  let digits = String(Int64(abs(scaled)))
  let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
  let sign = scaled < 0 ? "-" : ""
  return decimals == 0 ? sign + padded : "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
}

/// Seconds of a clock that never goes back.
func secondsNow() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// A topic of its own for each run, so that no run reads another's records.
func makeTopic(_ purpose: String, _ workload: Workload, _ client: ClientConfiguration) throws -> String {
  let name = "bench.\(purpose).\(getpid()).\(WallClock.system.nowMilliseconds)"
  try Admin(client).createTopic(NewTopic(name: name, partitionCount: workload.partitionCount))
  return name
}
