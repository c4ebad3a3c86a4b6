package import Core

/// One event on its way into a source's topic.
package struct PushedRecord: Sendable, Equatable {
  /// What the topic is partitioned by; nil where the source has no key.
  package var key: [UInt8]?
  package var value: [UInt8]
  /// The record's own timestamp; epoch milliseconds.
  package var timestampMilliseconds: Int64

  package init(key: [UInt8]?, value: [UInt8], timestampMilliseconds: Int64) {
    self.key = key
    self.value = value
    self.timestampMilliseconds = timestampMilliseconds
  }
}

/// Where pushed events go: a producer in a server, a list in tests.
package protocol EventSink: Sendable {
  /// Writes all records to the topic and returns when every one is acknowledged.
  ///
  /// - Parameter source: its index in the catalog.
  /// - Returns: where the last record of every partition that got one is.
  /// - Throws: when a record was not acknowledged within `timeoutMilliseconds`; others may have been written.
  func publish(
    _ records: [PushedRecord], source: Int, timeoutMilliseconds: Int64
  ) async throws(HeadraceError) -> [RecordOffset]
}
