struct Job: Sendable { func run() throws -> Int { 0 } }
extension PartitionLog {
  func compactionJob(nowMilliseconds: Int64) -> Job? { nil }
  func apply(_ x: Int) throws(LogError) {}
}
