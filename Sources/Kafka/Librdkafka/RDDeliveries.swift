internal import CRDKafka
internal import Core

/// The accounts of what became of each batch, kept in C: see `deliveries.c`. Belongs to the thread that polls the
/// producer.
@safe
final class RDDeliveries {
  let pointer: OpaquePointer

  init() throws(HeadraceError) {
    guard let pointer = unsafe headrace_deliveries_new() else {
      throw HeadraceError(.external, "OUT_OF_MEMORY", "no memory for a producer")
    }
    unsafe self.pointer = unsafe pointer
  }

  deinit { unsafe headrace_deliveries_destroy(pointer) }

  /// - Returns: the number of the batch, by which its report is known.
  func open(_ count: Int) throws(HeadraceError) -> UInt32 {
    let batch = unsafe headrace_deliveries_open(pointer, UInt32(clamping: count))
    guard batch != 0 else { throw HeadraceError(.external, "OUT_OF_MEMORY", "no memory for a batch") }
    return batch
  }

  /// Books a record that the client did not take.
  func reject(_ batch: UInt32, record index: Int, _ code: rd_kafka_resp_err_t) {
    unsafe headrace_deliveries_reject(pointer, batch, UInt32(clamping: index), code)
  }

  /// The oldest report that is complete.
  func next() -> DeliveryReport? {
    var delivery = headrace_delivery_t()
    guard unsafe headrace_deliveries_next(pointer, &delivery) != 0 else { return nil }
    var failureCount = 0
    let failures = unsafe UnsafeBufferPointer(
      start: headrace_deliveries_failures(pointer, delivery.batch, &failureCount), count: failureCount)
    var rangeCount = 0
    let ranges = unsafe UnsafeBufferPointer(
      start: headrace_deliveries_ranges(pointer, delivery.batch, &rangeCount), count: rangeCount)
    let report = DeliveryReport(
      batch: delivery.batch,
      acknowledged: Int(clamping: delivery.acknowledged),
      failed: Int(clamping: delivery.failed),
      failures: unsafe failures.map {
        .init(index: Int($0.index), code: KafkaErrorCode($0.code), mayBeStored: $0.possibly_persisted != 0)
      },
      offsets: unsafe ranges.map {
        .init(partition: $0.partition, count: Int($0.count), first: $0.first, last: $0.last)
      })
    unsafe headrace_deliveries_close(pointer, delivery.batch)
    return report
  }
}
