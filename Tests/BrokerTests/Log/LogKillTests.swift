import Core
import Glibc
import Testing

@testable import Broker

/// A process dies at a named point of the log, as by `kill -9`; the log is then opened here. What it had acknowledged
/// must be there once, and producers must be able to go on.
@Suite("The log after a kill")
struct LogKillTests {
  @Test(arguments: [
    "log.torn-append:1", "log.torn-append:7", "log.torn-append:23", "log.after-append:1", "log.after-append:12",
    "log.during-roll:1", "log.during-roll:3", "log.during-snapshot:1", "log.during-snapshot:2",
    "compaction.before-swap:1",
    "compaction.before-swap:3", "compaction.during-swap:1", "compaction.during-swap:2", "compaction.during-swap:5",
    "retention.before-delete:1", "retention.before-delete:2",
  ])
  func nothingAcknowledgedIsLost(point: String) async throws {
    let folder = TemporaryFolder()
    let path = folder.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, point = point as String] in
      unsafe setenv("HEADRACE_KILL_AT", point, 1)
      try KillWorkload(folder: path).run()
    }
    let workload = KillWorkload(folder: path)
    let log = try workload.open(now: 1_000)
    let acknowledged = workload.acknowledged()
    // A batch may be in the log without its acknowledgement: the kill came between the two.
    #expect(
      log.producers[1]?.lastSequence ?? -1 == Int32(acknowledged) - 1
        || log.producers[1]?.lastSequence == Int32(acknowledged))
    try workload.check(log, acknowledged: acknowledged)
    for sequence in acknowledged..<(acknowledged + 30) { try workload.send(sequence, to: log) }
    try workload.check(log, acknowledged: acknowledged + 30)
    try log.close()
    try workload.check(try workload.open(now: 1_000), acknowledged: acknowledged + 30)
  }
}

/// One idempotent producer with twelve keys; rolls, flushes, compactions and deletions in between.
struct KillWorkload {
  private static let keys = 12
  let folder: String

  var logFolder: String { folder + "/log" }

  func open(now: Int64) throws -> PartitionLog {
    var configuration = LogConfiguration()
    configuration.segmentBytes = 1_000
    configuration.cleanupPolicy = [.compact, .delete]
    configuration.minCleanableDirtyRatio = 0
    return try PartitionLog.open(
      folder: logFolder, configuration: configuration, resources: LogResources(), nowMilliseconds: now)
  }

  func run() throws {
    let log = try open(now: 1_000)
    for sequence in 0..<400 {
      try send(sequence, to: log)
      if sequence % 10 == 9, let job = log.flushJob() { try log.flushed(job.run()) }
      if sequence % 25 == 24, let job = log.compactionJob(nowMilliseconds: 1_000) { try log.apply(job.run()) }
      if sequence % 60 == 59 { try log.deleteRecords(before: log.logEndOffset - Int64(4 * Self.keys)) }
    }
  }

  func send(_ sequence: Int, to log: PartitionLog) throws {
    let record = TestRecord(
      timestamp: Int64(sequence), key: Array("key-\(sequence % Self.keys)".utf8), value: Array("value-\(sequence)".utf8)
    )
    let result = try log.append(TestBatch.make([record], producerID: 1, epoch: 0, sequence: Int32(sequence)))
    #expect(result.baseOffset == Int64(sequence))
    let file = try LogFile(folder + "/acknowledged", .readWrite)
    try file.write(unsafe [UInt8](repeating: 1, count: sequence + 1).span.bytes, at: 0)
  }

  /// How many batches were acknowledged before the process died.
  func acknowledged() -> Int { (try? LogFolder.size(of: folder + "/acknowledged")) ?? 0 }

  /// The newest acknowledged record of every key is there, no record is there twice, and each has its offset.
  func check(_ log: PartitionLog, acknowledged: Int) throws {
    let records = try log.allBatches(from: log.logStartOffset).flatMap(\.records).filter {
      $0.offset >= log.logStartOffset
    }
    #expect(records.map(\.offset) == Set(records.map(\.offset)).sorted())
    for record in records {
      #expect(record.value == Array("value-\(record.offset)".utf8))
      #expect(record.key == Array("key-\(record.offset % Int64(Self.keys))".utf8))
    }
    let found = Set(records.map(\.offset))
    for offset in max(0, acknowledged - Self.keys)..<acknowledged {
      #expect(found.contains(Int64(offset)), "offset \(offset)")
    }
  }
}
