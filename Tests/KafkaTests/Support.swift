import Core

@testable import Kafka

/// Runs a test's body on a thread that may block.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  let thread = try BlockingThread(name: "kafka-test")
  defer { thread.stop() }
  return try await thread.run(body)
}

extension SplitMix64 {
  /// `0 ..< bound`.
  mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }
}

/// A record, copied out of its batch.
struct SeenRecord: Equatable, Sendable {
  var partition: Int32
  var offset: Int64
  var key: String?
  var value: String?
  var timestampMilliseconds: Int64
  var headers: [String] = []
}

extension Optional where Wrapped == RawSpan {
  var text: String? {
    guard let span = self else { return nil }
    return unsafe span.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }
}

extension ConsumedBatch {
  /// Copies the records.
  func seen() -> [SeenRecord] {
    indices.map { index in
      let record = self[index]
      return SeenRecord(
        partition: partition.partition, offset: record.offset, key: record.key.text, value: record.value.text,
        timestampMilliseconds: record.timestampMilliseconds, headers: record.headers.seen())
    }
  }
}

extension RecordHeaders {
  func seen() -> [String] {
    (0..<count).map { index in
      let header = self[index]
      return "\(header.name)=\(header.value.text ?? "null")"
    }
  }
}

extension Consumer {
  /// Polls until `count` records are there, or `timeoutMilliseconds` are over.
  func collect(_ count: Int, timeoutMilliseconds: Int64 = 20_000) throws -> [SeenRecord] {
    var seen: [SeenRecord] = []
    let deadline = WallClock.monotonic.nowMilliseconds + timeoutMilliseconds
    while seen.count < count, WallClock.monotonic.nowMilliseconds < deadline {
      try poll(timeoutMilliseconds: 100) { seen += $0.seen() }
    }
    return seen
  }
}
