package import Core
internal import CRDKafka

/// Records for one topic, packed into one buffer: what a producer takes in one call.
///
/// Reuse it: `removeAll` keeps its memory.
package struct ProduceBatch: Sendable {
  package let topic: String
  /// With a partition count, records are placed here, else by the producer's own partitioner.
  private let placement: (partitioner: Partitioner, partitionCount: Int32)?
  private(set) var bytes: [UInt8] = []
  private(set) var records: [headrace_record_t] = []

  package init(topic: String) {
    self.topic = topic
    placement = nil
  }

  /// - Parameter partitionCount: of the topic, at least 1.
  package init(topic: String, partitioner: Partitioner, partitionCount: Int32) {
    self.topic = topic
    placement = (partitioner, partitionCount)
  }

  package var count: Int { records.count }
  package var isEmpty: Bool { records.isEmpty }
  /// The size of keys, values and headers together.
  package var sizeBytes: Int { bytes.count }

  package mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    records.removeAll(keepingCapacity: true)
  }

  package mutating func reserveCapacity(records: Int, bytes: Int) {
    self.records.reserveCapacity(records)
    self.bytes.reserveCapacity(bytes)
  }

  /// Adds one record.
  ///
  /// - Parameters:
  ///   - key: nil: no key.
  ///   - value: nil: a tombstone.
  ///   - timestampMilliseconds: since 1970, above 0; nil: the moment at which the producer takes the record.
  ///   - partition: nil: by key.
  package mutating func append(
    key: RawSpan? = nil, value: RawSpan?, timestampMilliseconds: Int64? = nil, partition: Int32? = nil
  ) throws(HeadraceError) {
    let start = bytes.count
    if let key { append(key) }
    let keyEnd = bytes.count
    if let value { append(value) }
    try addRecord(
      start: start, keyEnd: key == nil ? nil : keyEnd, hasValue: value != nil, timestampMilliseconds, partition)
  }

  /// Adds one record with text for key and value.
  package mutating func append(
    key: String?, value: String?, timestampMilliseconds: Int64? = nil, partition: Int32? = nil
  ) throws(HeadraceError) {
    let start = bytes.count
    if let key { bytes.append(contentsOf: key.utf8) }
    let keyEnd = bytes.count
    if let value { bytes.append(contentsOf: value.utf8) }
    try addRecord(
      start: start, keyEnd: key == nil ? nil : keyEnd, hasValue: value != nil, timestampMilliseconds, partition)
  }

  /// Adds a header to the record that was added last; nil is a header without value.
  package mutating func appendHeader(_ name: String, _ value: RawSpan?) throws(HeadraceError) {
    let valueLength = if let value { try Self.length(value.byteCount) } else { Int32(-1) }
    try beginHeader(name, valueLength: valueLength)
    if let value { append(value) }
  }

  /// Adds a header with text to the record that was added last.
  package mutating func appendHeader(_ name: String, _ value: String) throws(HeadraceError) {
    try beginHeader(name, valueLength: Self.length(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  private mutating func beginHeader(_ name: String, valueLength: Int32) throws(HeadraceError) {
    guard let last = records.indices.last else {
      throw HeadraceError(.internal, "HEADER_WITHOUT_RECORD", "a header belongs to a record", place: name)
    }
    let nameLength = try Self.length(name.utf8.count)
    unsafe withUnsafeBytes(of: nameLength) { unsafe bytes.append(contentsOf: $0) }
    unsafe withUnsafeBytes(of: valueLength) { unsafe bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: name.utf8)
    records[last].header_count += 1
  }

  private mutating func append(_ span: RawSpan) {
    unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
  }

  /// Books the record whose key and value were just packed; drops them again when it cannot be one.
  private mutating func addRecord(
    start: Int, keyEnd: Int?, hasValue: Bool, _ timestampMilliseconds: Int64?, _ partition: Int32?
  ) throws(HeadraceError) {
    let valueStart = keyEnd ?? start
    do {
      let keyLength = try keyEnd.map { end throws(HeadraceError) in try Self.length(end - start) } ?? -1
      let valueLength = hasValue ? try Self.length(bytes.count - valueStart) : -1
      records.append(
        headrace_record_t(
          bytes_offset: start, timestamp_ms: try Self.checked(timestampMilliseconds), key_length: keyLength,
          value_length: valueLength, partition: partition ?? place(start, keyLength), header_count: 0))
    } catch {
      bytes.removeSubrange(start...)
      throw error
    }
  }

  private static func length(_ count: Int) throws(HeadraceError) -> Int32 {
    guard let length = Int32(exactly: count) else {
      throw HeadraceError(.messageTooLarge, "\(count) bytes do not fit into a record")
    }
    return length
  }

  private func place(_ keyStart: Int, _ keyLength: Int32) -> Int32 {
    guard let placement, keyLength >= 0 else { return RD_KAFKA_PARTITION_UA }
    return unsafe bytes.withUnsafeBytes { bytes in
      let key = unsafe UnsafeRawBufferPointer(rebasing: bytes[keyStart..<keyStart + Int(keyLength)])
      return unsafe placement.partitioner.partition(key: key, partitionCount: placement.partitionCount)
    }
  }

  private static func checked(_ timestampMilliseconds: Int64?) throws(HeadraceError) -> Int64 {
    guard let timestampMilliseconds else { return 0 }
    guard timestampMilliseconds > 0 else {
      throw HeadraceError(
        .user, "RECORD_TIMESTAMP", "a record's timestamp is \(timestampMilliseconds) ms: it must lie after 1970",
        remedy: "check the unit of the event time")
    }
    return timestampMilliseconds
  }
}
