/// The small files of a partition's folder that hold one or two numbers.
struct LogCheckpoints {
  let folder: String

  /// How an orderly close left the last segment.
  struct CleanShutdown: Equatable {
    var endOffset: Int64
    var activeBaseOffset: Int64
    var activeSizeBytes: Int64
  }

  /// The number that deleting records moves.
  var logStart: TwoSlotFile { TwoSlotFile(path: "\(folder)/\(SegmentName.logStart)") }

  func recoveryPoint() -> Int64? { numbers(SegmentName.recoveryPoint, .recoveryPoint, count: 1)?[0] }

  func cleanedUpTo() -> Int64? { numbers(SegmentName.cleanerCheckpoint, .cleanerCheckpoint, count: 1)?[0] }

  func cleanShutdown() -> CleanShutdown? {
    numbers(SegmentName.cleanShutdown, .cleanShutdown, count: 3).map {
      CleanShutdown(endOffset: $0[0], activeBaseOffset: $0[1], activeSizeBytes: $0[2])
    }
  }

  /// May be lost: an older one, or none, only makes recovery read more. It must never run ahead of the data.
  func store(recoveryPoint: Int64) throws(StorageFailure) {
    try store(SegmentName.recoveryPoint, .recoveryPoint, [recoveryPoint], durable: false)
  }

  func store(cleanedUpTo: Int64) throws(StorageFailure) {
    try store(SegmentName.cleanerCheckpoint, .cleanerCheckpoint, [cleanedUpTo], durable: false)
  }

  func store(cleanShutdown mark: CleanShutdown) throws(StorageFailure) {
    try store(
      SegmentName.cleanShutdown, .cleanShutdown, [mark.endOffset, mark.activeBaseOffset, mark.activeSizeBytes],
      durable: true)
  }

  func removeCleanShutdown() throws(StorageFailure) {
    try LogFolder.remove("\(folder)/\(SegmentName.cleanShutdown)")
  }

  private func store(
    _ name: String, _ kind: CheckedFile.Kind, _ numbers: [Int64], durable: Bool
  ) throws(StorageFailure) {
    var encoder = BigEndianEncoder()
    for number in numbers { encoder.append(number) }
    try CheckedFile.replace("\(folder)/\(name)", kind: kind, payload: encoder.bytes, durable: durable)
  }

  private func numbers(_ name: String, _ kind: CheckedFile.Kind, count: Int) -> [Int64]? {
    guard let payload = CheckedFile.payload("\(folder)/\(name)", kind: kind), payload.count == count * 8 else {
      return nil
    }
    var decoder = BigEndianDecoder(payload)
    return (0..<count).map { _ in decoder.next(Int64.self) ?? 0 }
  }
}
