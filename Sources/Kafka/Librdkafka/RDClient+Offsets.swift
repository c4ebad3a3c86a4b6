internal import CRDKafka
internal import Core

// Questions about offsets that any client may ask.

extension RDClient {
  /// Special timestamps of the ListOffsets request.
  enum LogEdge: Int64 {
    case end = -1
    case beginning = -2
  }

  /// The first offset at or after each timestamp; no entry where the log has none. One request per broker, asked again
  /// while the cluster is only busy.
  func offsets(
    forTimes times: [TopicPartition: Int64], timeoutMilliseconds: Int32
  ) throws(HeadraceError) -> [TopicPartition: Int64] {
    guard !times.isEmpty else { return [:] }
    var found: [TopicPartition: Int64] = [:]
    try retrying(within: timeoutMilliseconds) { remainingMilliseconds throws(HeadraceError) in
      let list = RDPartitionList(times)
      try check(
        unsafe rd_kafka_offsets_for_times(handle, list.pointer, remainingMilliseconds), while: "look up offsets")
      for element in list.elements {
        guard element.code == .none else {
          throw error(element.code, while: "look up offsets", place: element.partition.description)
        }
        if element.offset >= 0 { found[element.partition] = element.offset }
      }
    }
    return found
  }

  /// The offsets of the first record (`.beginning`) or of the next one to be written (`.end`).
  func edges(
    _ edge: LogEdge, of partitions: some Collection<TopicPartition>, timeoutMilliseconds: Int32
  ) throws(HeadraceError) -> [TopicPartition: Int64] {
    let times = Dictionary(partitions.map { ($0, edge.rawValue) }) { first, _ in first }
    let found = try offsets(forTimes: times, timeoutMilliseconds: timeoutMilliseconds)
    for partition in times.keys where found[partition] == nil {
      throw HeadraceError(.noOffset, "the broker named no offset", place: partition.description, retry: .sameCall)
    }
    return found
  }

  /// The offsets at timestamps and log edges, the log's end where nothing is that young.
  func startOffsets(
    _ times: [TopicPartition: Int64], timeoutMilliseconds: Int32
  ) throws(HeadraceError) -> [TopicPartition: Int64] {
    let found = try offsets(forTimes: times, timeoutMilliseconds: timeoutMilliseconds)
    let pastTheEnd = times.keys.filter { found[$0] == nil }
    let ends = try edges(.end, of: pastTheEnd, timeoutMilliseconds: timeoutMilliseconds)
    return found.merging(ends) { first, _ in first }
  }

  /// Repeats a call that failed for a passing reason until the time is over.
  func retrying(
    within timeoutMilliseconds: Int32, _ body: (_ remainingMilliseconds: Int32) throws(HeadraceError) -> Void
  ) throws(HeadraceError) {
    let deadline = WallClock.monotonic.nowMilliseconds + Int64(timeoutMilliseconds)
    var pauseMilliseconds: Int32 = 5
    while true {
      let remaining = Int32(clamping: max(deadline - WallClock.monotonic.nowMilliseconds, 1))
      do {
        return try body(remaining)
      } catch {
        let left = deadline - WallClock.monotonic.nowMilliseconds
        guard error.retry == .sameCall, left > Int64(pauseMilliseconds) else { throw error }
        Sleep.milliseconds(Int(pauseMilliseconds))
        pauseMilliseconds = min(pauseMilliseconds * 2, 200)
      }
    }
  }
}
