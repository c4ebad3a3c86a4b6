internal import CRDKafka
internal import Core
internal import Glibc

/// A list of partitions with offsets: how the library takes and returns them.
@safe
struct RDPartitionList: ~Copyable {
  let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

  init(capacity: Int = 0) { unsafe pointer = rd_kafka_topic_partition_list_new(Int32(clamping: capacity)) }

  init(takingOwnership pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
    unsafe self.pointer = pointer
  }

  init(_ partitions: some Collection<TopicPartition>) {
    self.init(capacity: partitions.count)
    for partition in partitions { add(partition) }
  }

  init(_ offsets: some Collection<(key: TopicPartition, value: Int64)>) {
    self.init(capacity: offsets.count)
    for (partition, offset) in offsets { add(partition, offset: offset) }
  }

  deinit { unsafe rd_kafka_topic_partition_list_destroy(pointer) }

  var count: Int { unsafe Int(pointer.pointee.cnt) }

  /// - Parameter metadata: kept by the group coordinator beside the offset.
  func add(_ partition: TopicPartition, offset: Int64 = Int64(RD_KAFKA_OFFSET_INVALID), metadata: String? = nil) {
    guard let element = unsafe rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition) else {
      return
    }
    unsafe element.pointee.offset = offset
    guard let metadata, !metadata.isEmpty else { return }
    // The list frees it.
    unsafe element.pointee.metadata = unsafe UnsafeMutableRawPointer(strdup(metadata))
    unsafe element.pointee.metadata_size = metadata.utf8.count
  }

  struct Element {
    var partition: TopicPartition
    var offset: Int64
    var metadata: String?
    var code: KafkaErrorCode
  }

  var elements: [Element] { unsafe Self.elements(of: pointer) }

  static func elements(of list: UnsafePointer<rd_kafka_topic_partition_list_t>?) -> [Element] {
    guard let list = unsafe list?.pointee, let first = unsafe list.elems else { return [] }
    return (0..<Int(unsafe list.cnt)).map { index in
      let element = unsafe first[index]
      return Element(
        partition: TopicPartition(
          topic: unsafe element.topic.map { unsafe String(cString: $0) } ?? "", partition: unsafe element.partition),
        offset: unsafe element.offset,
        metadata: unsafe metadata(element), code: KafkaErrorCode(unsafe element.err))
    }
  }

  static func partitions(of list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) -> [TopicPartition] {
    unsafe elements(of: UnsafePointer(list)).map(\.partition)
  }

  /// Throws for the first partition that carries an error.
  func throwFirstError(while activity: String) throws(HeadraceError) {
    for element in elements where element.code != .none {
      throw HeadraceError(element.code, while: activity, place: element.partition.description)
    }
  }

  private static func metadata(_ element: rd_kafka_topic_partition_t) -> String? {
    guard let bytes = unsafe element.metadata, unsafe element.metadata_size > 0 else { return nil }
    let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: element.metadata_size)
    return unsafe String(decoding: buffer, as: UTF8.self)
  }
}
