import Contracts
import Core
@testable import Kafka
import Testing
@testable import headrace

@Suite struct RetentionCheckTests {
  private static let day: Int64 = 86_400_000

  private func check(_ settings: [String: String], partitionCount: Int32 = 1) -> RetentionCheck {
    RetentionCheck(topic: "t", settings: settings, partitionCount: partitionCount)
  }

  @Test func oldEventsAreWarnedAboutOnce() {
    var check = check(["cleanup.policy": "delete", "retention.ms": "604800000"])
    let now = 100 * Self.day
    #expect(check.observe(oldestMilliseconds: now - 7 * Self.day, publishedBytes: 1, nowMilliseconds: now).isEmpty)
    let warnings = check.observe(oldestMilliseconds: now - 8 * Self.day, publishedBytes: 1, nowMilliseconds: now)
    #expect(warnings.count == 1)
    #expect(warnings.first?.contains("older than 7 days") == true)
    #expect(warnings.first?.contains("1970-04-03T00:00:00Z") == true)
    #expect(check.observe(oldestMilliseconds: 1, publishedBytes: 1, nowMilliseconds: now).isEmpty)
  }

  @Test(arguments: [["retention.ms": "-1"], ["cleanup.policy": "compact", "retention.ms": "1"], [:]])
  func whatIsKeptIsNotWarnedAbout(settings: [String: String]) {
    var check = check(settings)
    #expect(check.observe(oldestMilliseconds: 1, publishedBytes: 1 << 40, nowMilliseconds: 100 * Self.day).isEmpty)
  }

  @Test func sizeCountsByPartition() {
    var check = check(["retention.bytes": "1000"], partitionCount: 4)
    #expect(check.observe(oldestMilliseconds: nil, publishedBytes: 4_003, nowMilliseconds: 0).isEmpty)
    #expect(check.observe(oldestMilliseconds: nil, publishedBytes: 4_004, nowMilliseconds: 0).count == 1)
    #expect(check.observe(oldestMilliseconds: nil, publishedBytes: 9_999, nowMilliseconds: 0).isEmpty)
  }

  @Test func compactionAndReplacedTimestampsAreNamed() {
    let compacted = check(["cleanup.policy": "compact, delete"])
    #expect(compacted.warnings(hasKey: true, hasEventTime: false).first?.contains("newest") == true)
    #expect(compacted.warnings(hasKey: false, hasEventTime: false).first?.contains("--key") == true)
    let stamped = check(["message.timestamp.type": "LogAppendTime"])
    #expect(stamped.warnings(hasKey: true, hasEventTime: true).count == 1)
    #expect(stamped.warnings(hasKey: true, hasEventTime: false).isEmpty)
  }
}

@Suite struct ReceiptTests {
  @Test func addsUpReports() {
    var receipt = Receipt()
    receipt.add(report(1, acknowledged: 3, offsets: [(0, 2, 5, 6), (1, 1, 0, 0)]))
    receipt.add(report(2, acknowledged: 2, failed: 1, offsets: [(0, 2, 7, 8)]))
    #expect(receipt.acknowledged == 5 && receipt.failed == 1)
    #expect(receipt.partitions[0] == .init(records: 4, firstOffset: 5, lastOffset: 8))
    let table =
      "PARTITION  RECORDS  FIRST OFFSET  LAST OFFSET\nt/0              4             5            8\n"
      + "t/1              1             0            0\n"
    #expect(receipt.table(topic: "t") == table)
    receipt.sentBytes = 1_500
    let summary = "published 5 records (1.50 kB) to t in 0.50 s: 10 records/s, 3.00 kB/s; 1 NOT acknowledged"
    #expect(receipt.summary(topic: "t", milliseconds: 500) == summary)
  }

  @Test func failuresAreTracedToTheirLines() {
    var origins = Origins()
    origins.add(batch: 1, file: "a.jsonl", lines: [10, 12, 13])
    var failed = report(1, acknowledged: 2, failed: 1, offsets: [])
    failed.failures = [.init(index: 1, code: .messageTooLarge, mayBeStored: false)]
    #expect(origins.settle(failed).map { String($0.prefix(28)) } == ["a.jsonl:12: not acknowledged"])
    #expect(origins.settle(failed).isEmpty)
  }

  private func report(
    _ batch: UInt32, acknowledged: Int, failed: Int = 0, offsets: [(Int32, Int, Int64, Int64)]
  ) -> DeliveryReport {
    DeliveryReport(
      batch: batch, acknowledged: acknowledged, failed: failed, failures: [],
      offsets: offsets.map { .init(partition: $0.0, count: $0.1, first: $0.2, last: $0.3) })
  }
}

@Suite struct EventFieldsTests {
  private func outcomes(_ lines: [String], key: String? = "k", time: String? = "t") throws -> [EventFields.Outcome] {
    var fields = try EventFields(
      key: key.map { try FieldPath($0) }, time: time.map { try FieldPath($0) }, unit: .milliseconds)
    var (input, batch, framing) = (Array(lines.joined(separator: "\n").utf8), DocumentBatch(), LineFraming())
    try framing.frame(&input, isFinal: true, into: &batch)
    try fields.read(batch)
    return (0..<batch.count).map { fields.outcome(document: $0, of: batch) }
  }

  private func message(_ outcome: EventFields.Outcome) -> String {
    if case .fault(let fault) = outcome { fault.description(file: "f") } else { "\(outcome)" }
  }

  @Test func readsKeyAndTime() throws {
    let found = try outcomes([#"{"k":"UA","t":5}"#, #"{"t":6}"#, " ", #"{"k":null,"t":7}"#, #"{"k":[1],"t":8}"#])
    let events: [EventFields.Event?] = found.map { if case .event(let event) = $0 { event } else { nil } }
    #expect(events.map { $0?.timeMilliseconds } == [5, 6, nil, 7, 8])
    #expect(events.map { $0?.key?.kind } == [.string, nil, nil, nil, .array])
    #expect(found[2] == .blank)
  }

  @Test(arguments: [
    (#"{"k":1"#, #"f:1:7: found the end of the line: a comma or the end of the object or array is expected"#),
    (#"{"é":tru}"#, #"f:1:6: found "tru}": a value is expected"#),
    (#"{"k":1}"#, "f:1: event time 't': found nothing"),
    (#"{"t":null}"#, "f:1: event time 't': found null"),
    (#"{"t":"soon"}"#, "f:1: event time 't': found \"soon\", expected a number or a time"),
    (
      #"{"t":1357035420000000}"#,
      "f:1: event time 't': found 1357035420000000, which in ms is not between 1970 and 9999"
    ),
    (#"{"t":true}"#, "f:1: event time 't': found true, expected a number"),
  ])
  func namesWhatIsWrong(line: String, expected: String) throws {
    let text = message(try #require(try outcomes([line]).first))
    #expect(text.hasPrefix(expected), "\(text)")
  }
}
