/// The versions of one API that the broker offers, and from which version on its messages are flexible (KIP-482).
///
/// `table` is the only place that knows: the decoder, the answer to `ApiVersions` and the header versions read it.
package struct APIVersions: Sendable {
  package let key: APIKey
  package let offered: ClosedRange<Int16>
  /// The first version with compact lengths and tagged fields; nil when no version has them.
  package let firstFlexible: Int16?

  private init(_ key: APIKey, _ offered: ClosedRange<Int16>, flexible firstFlexible: Int16?) {
    self.key = key
    self.offered = offered
    self.firstFlexible = firstFlexible
  }

  /// Produce 0...2 are offered and refused: librdkafka before 2.11 enables gzip, snappy and lz4 only for a broker whose
  /// Produce starts at 0 (KAFKA-18659), yet no client that we serve sends record formats older than version 3's.
  /// JoinGroup and OffsetFetch start low for the same clients, which test for exact versions.
  package static let table: [APIVersions] = [
    APIVersions(.produce, 0...9, flexible: 9),
    APIVersions(.fetch, 4...12, flexible: 12),
    APIVersions(.listOffsets, 1...7, flexible: 6),
    APIVersions(.metadata, 0...12, flexible: 9),
    APIVersions(.offsetCommit, 2...8, flexible: 8),
    APIVersions(.offsetFetch, 1...8, flexible: 6),
    APIVersions(.findCoordinator, 0...4, flexible: 3),
    APIVersions(.joinGroup, 0...9, flexible: 6),
    APIVersions(.heartbeat, 0...4, flexible: 4),
    APIVersions(.leaveGroup, 0...5, flexible: 4),
    APIVersions(.syncGroup, 0...5, flexible: 4),
    APIVersions(.describeGroups, 0...5, flexible: 5),
    APIVersions(.listGroups, 0...4, flexible: 3),
    APIVersions(.saslHandshake, 0...1, flexible: nil),
    APIVersions(.apiVersions, 0...3, flexible: 3),
    APIVersions(.createTopics, 2...7, flexible: 5),
    APIVersions(.deleteTopics, 1...6, flexible: 4),
    APIVersions(.deleteRecords, 0...2, flexible: 2),
    APIVersions(.initProducerID, 0...4, flexible: 2),
    APIVersions(.offsetForLeaderEpoch, 2...4, flexible: 4),
    APIVersions(.addPartitionsToTxn, 0...3, flexible: 3),
    APIVersions(.addOffsetsToTxn, 0...3, flexible: 3),
    APIVersions(.endTxn, 0...3, flexible: 3),
    APIVersions(.txnOffsetCommit, 0...3, flexible: 3),
    APIVersions(.describeConfigs, 1...4, flexible: 4),
    APIVersions(.alterConfigs, 0...2, flexible: 2),
    APIVersions(.saslAuthenticate, 0...2, flexible: 2),
    APIVersions(.createPartitions, 0...3, flexible: 2),
    APIVersions(.deleteGroups, 0...2, flexible: 2),
    APIVersions(.incrementalAlterConfigs, 0...1, flexible: 1),
    APIVersions(.offsetDelete, 0...0, flexible: nil),
    APIVersions(.describeCluster, 0...1, flexible: 0),
    APIVersions(.describeProducers, 0...0, flexible: 0),
    APIVersions(.describeTransactions, 0...0, flexible: 0),
    APIVersions(.listTransactions, 0...0, flexible: 0),
  ]

  private static let byKey: [APIKey: APIVersions] = Dictionary(
    table.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })

  /// The row of `key`; nil only if a key were missing in the table, which a test excludes.
  package static subscript(_ key: APIKey) -> APIVersions? { byKey[key] }

  package static func isOffered(_ key: APIKey, version: Int16) -> Bool {
    byKey[key]?.offered.contains(version) ?? false
  }

  /// Whether messages of this version use compact lengths and tagged fields.
  package static func isFlexible(_ key: APIKey, version: Int16) -> Bool {
    guard let first = byKey[key]?.firstFlexible else { return false }
    return version >= first
  }
}
