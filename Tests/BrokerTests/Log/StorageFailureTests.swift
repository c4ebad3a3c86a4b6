import Core
import Glibc
import Testing

@testable import Broker

@Suite("A disk that refuses")
struct StorageFailureTests {
  /// Fills a file system of its own; where none may be mounted, a limit on the size of files stands in for it.
  @Test func aFullDiskRefusesAndLosesNothing() async {
    await #expect(processExitsWith: .success) {
      let folder = TemporaryFolder()
      let room = folder.path + "/room"
      try LogFolder.create(room)
      let isMounted = unsafe system("mount -t tmpfs -o size=256k tmpfs \(room) 2>/dev/null") == 0
      defer { if isMounted { unsafe system("umount \(room)") } }
      if !isMounted {
        signal(SIGXFSZ, SIG_IGN)
        var limit = rlimit(rlim_cur: 200_000, rlim_max: 200_000)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      }
      try fill(room + "/log", canMakeRoom: isMounted)
    }
  }

  /// The write fails and so does the way back: nothing is known of the file any more.
  @Test func aFileThatCannotBeCutBackTakesTheLogOffline() throws {
    let folder = TemporaryFolder()
    let path = "\(folder.path)/\(SegmentName.stem(0)).log"
    let linked = unsafe symlink("/dev/full", path)
    #expect(linked == 0)
    let log = try PartitionLog.open(folder)
    #expect(throws: LogError.self) { try log.append(TestBatch.values(["lost"])) }
    let reason = try #require(log.offlineReason)
    #expect(reason.operation == "truncate")
    #expect(throws: LogError.offline(reason)) { try log.append(TestBatch.values(["later"])) }
    #expect(throws: LogError.offline(reason)) { try log.batches(from: 0) }
    #expect(log.flushJob() == nil)
    unsafe unlink(path)
    #expect(try PartitionLog.open(folder).append(TestBatch.values(["again"])).baseOffset == 0)
  }

  @Test func aFailedFlushTakesTheLogOffline() throws {
    let folder = TemporaryFolder()
    let log = try PartitionLog.open(folder)
    try log.append(TestBatch.values(["a"]))
    var result = try #require(log.flushJob()).run()
    let failure = StorageFailure(operation: "fdatasync", path: "x", code: EIO)
    result.failure = failure
    #expect(throws: LogError.offline(failure)) { try log.flushed(result) }
    #expect(throws: LogError.offline(failure)) { try log.append(TestBatch.values(["b"])) }
    #expect(LogError.offline(failure).kafkaCode == 56)
  }
}

/// Appends until the disk is full, then checks what is there, makes room, and goes on.
private func fill(_ folder: String, canMakeRoom: Bool) throws {
  var configuration = LogConfiguration()
  configuration.segmentBytes = 100_000
  if !canMakeRoom { configuration.segmentBytes = 1 << 20 }
  func open() throws -> PartitionLog {
    try PartitionLog.open(
      folder: folder, configuration: configuration, resources: LogResources(), nowMilliseconds: 1_000)
  }
  func batch(_ sequence: Int32) throws -> [UInt8] {
    try TestBatch.values([String(repeating: "x", count: 3_000)], producerID: 1, epoch: 0, sequence: sequence)
  }
  var log = try open()
  var sequence: Int32 = 0
  var refusal: LogError?
  while refusal == nil, sequence < 200 {
    do throws(LogError) {
      let bytes = (try? batch(sequence)) ?? []
      try log.append(bytes)
      sequence += 1
    } catch {
      refusal = error
    }
  }
  try require(
    refusal?.kafkaCode == 56 && sequence > 20, "the disk never filled: \(sequence) \(String(describing: refusal))")
  try require(log.offlineReason == nil && log.logEndOffset == Int64(sequence), "state is behind or ahead")
  try require(LogFolder.size(of: log.active.logPath) == log.active.sizeBytes, "the torn write is still there")
  try require(log.allBatches(from: 0).count == Int(sequence), "acknowledged batches are missing")
  log = try open()
  try require(log.logEndOffset == Int64(sequence) && log.recovery.truncatedBytes == 0, "recovery found something else")
  guard canMakeRoom else { return }
  // Room comes back: deleted segments give theirs back with the next flush.
  try log.deleteRecords(before: log.segments[log.segments.count - 1].baseOffset)
  if let job = log.flushJob() { try log.flushed(job.run()) }
  try require(log.append(batch(sequence)).baseOffset == Int64(sequence), "the log does not go on")
  try require(log.append(batch(sequence)).isDuplicate, "the producer was forgotten")
}

/// Ends the child process, whose expectations nobody sees, with an error.
private func require(_ holds: Bool, _ message: String) throws {
  if !holds { throw HeadraceError(.internal, "TEST", message) }
}
