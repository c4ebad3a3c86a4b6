/// What opening a log found and did, for the log line and for tests.
package struct LogRecoveryReport: Equatable, Sendable {
  /// The log was closed in order: nothing was scanned.
  package var wasClean = false
  package var scannedBytes = 0
  /// Bytes cut from the end, because they are no whole batch with a right checksum.
  package var truncatedBytes = 0
  /// The file that they were cut from.
  package var truncatedFile: String?
  /// The cut reached below the recovery point: data that had been on the disk is missing.
  package var lostFlushedData = false
  package var openTransactions = 0

  package init() {}
}
