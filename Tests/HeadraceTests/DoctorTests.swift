import Testing
@testable import headrace

@Suite struct DoctorTests {
  private func disk(free: UInt64, total: UInt64 = 100 << 30, isWritable: Bool = true) -> Finding.Level {
    MachineChecks.judge(
      .init(folder: "/var", freeBytes: free, totalBytes: total, isWritable: isWritable), dataDirectory: "/var/data"
    ).level
  }

  @Test func `a disk that is full, nearly full, or another user's is told`() {
    #expect(disk(free: 50 << 30) == .ok)
    #expect(disk(free: 2 << 30) == .warning)
    #expect(disk(free: 1 << 20) == .error)
    #expect(disk(free: 50 << 30, isWritable: false) == .error)
  }

  @Test func `every finding that is not ok says what to do`() {
    let topics: [TopicChecks.Topic] = [
      .init(name: "a", source: "x", partitionCount: nil),
      .init(name: "b", source: "y", partitionCount: 4, settings: ["retention.ms": "604800000"]),
      .init(name: "c", source: "z", partitionCount: 3, settings: ["cleanup.policy": "compact"]),
      .init(
        name: "d", source: "w", partitionCount: 4, settings: ["message.timestamp.after.max.ms": "9223372036854775807"]),
      .init(name: "e", source: "v", partitionCount: nil, failure: "not authorized"),
    ]
    let findings =
      TopicChecks.all(topics) + [
        MachineChecks.clock(newest: ("a", 10_000_000), nowMilliseconds: 0), MachineChecks.descriptors(softLimit: 256),
        MachineChecks.timeZones(hasFolder: false), MachineChecks.judge(.taken, address: "127.0.0.1:1"),
      ]
    #expect(findings.allSatisfy { $0.level == .ok || $0.fix != nil }, "\(findings)")
    #expect(findings.filter { $0.level == .ok }.isEmpty)
    #expect(findings.contains { $0.subject == "partitions" && $0.message.contains("b 4, c 3") })
  }

  @Test func `a good machine has nothing to mend`() {
    let findings =
      TopicChecks.all([
        .init(name: "a", source: "x", partitionCount: 4, settings: ["retention.ms": "-1"]),
        .init(name: "b", source: "y", partitionCount: 4, settings: ["message.timestamp.type": "LogAppendTime"]),
      ]) + [
        MachineChecks.clock(newest: ("a", 1_000), nowMilliseconds: 900), MachineChecks.descriptors(softLimit: 65_536),
        MachineChecks.judge(.served, address: "127.0.0.1:6566"),
      ]
    #expect(findings.worst == .ok, "\(findings)")
    #expect(findings.text.hasSuffix("5 checks, 0 errors, 0 warnings\n"))
  }

  @Test func `records that are set aside are kept by size, not by the age of their events`() {
    func judge(_ settings: [String: String]) -> [Finding] {
      TopicChecks.rejected(.init(name: "readings.dlq", source: "readings", partitionCount: 1, settings: settings))
    }
    #expect(judge(["retention.ms": "604800000"]).map(\.level) == [.warning])
    #expect(judge(["retention.ms": "-1", "retention.bytes": "1073741824"]).isEmpty)
    #expect(judge(["retention.ms": "604800000", "message.timestamp.type": "LogAppendTime"]).isEmpty)
    #expect(judge([:]).isEmpty)
  }

  @Test func `sources with any partitioner may have other partition counts`() {
    let topics: [TopicChecks.Topic] = [
      .init(name: "a", source: "x", partitionCount: 4), .init(name: "b", source: "y", partitionCount: 2),
    ]
    #expect(TopicChecks.all(topics).worst == .error)
    #expect(TopicChecks.all(topics, unpartitioned: ["y"]).worst == .ok)
  }
}
