package import NIOCore

/// A request of any API, decoded.
package enum Request: Sendable {
  case produce(ProduceRequest)
  case fetch(FetchRequest)
  case listOffsets(ListOffsetsRequest)
  case metadata(MetadataRequest)
  case offsetCommit(OffsetCommitRequest)
  case offsetFetch(OffsetFetchRequest)
  case findCoordinator(FindCoordinatorRequest)
  case joinGroup(JoinGroupRequest)
  case heartbeat(HeartbeatRequest)
  case leaveGroup(LeaveGroupRequest)
  case syncGroup(SyncGroupRequest)
  case describeGroups(DescribeGroupsRequest)
  case listGroups(ListGroupsRequest)
  case saslHandshake(SaslHandshakeRequest)
  case apiVersions(ApiVersionsRequest)
  case createTopics(CreateTopicsRequest)
  case deleteTopics(DeleteTopicsRequest)
  case deleteRecords(DeleteRecordsRequest)
  case initProducerID(InitProducerIDRequest)
  case offsetForLeaderEpoch(OffsetForLeaderEpochRequest)
  case addPartitionsToTxn(AddPartitionsToTxnRequest)
  case addOffsetsToTxn(AddOffsetsToTxnRequest)
  case endTxn(EndTxnRequest)
  case txnOffsetCommit(TxnOffsetCommitRequest)
  case describeConfigs(DescribeConfigsRequest)
  case alterConfigs(AlterConfigsRequest)
  case saslAuthenticate(SaslAuthenticateRequest)
  case createPartitions(CreatePartitionsRequest)
  case deleteGroups(DeleteGroupsRequest)
  case incrementalAlterConfigs(IncrementalAlterConfigsRequest)
  case offsetDelete(OffsetDeleteRequest)
  case describeCluster(DescribeClusterRequest)
  case describeProducers(DescribeProducersRequest)
  case describeTransactions(DescribeTransactionsRequest)
  case listTransactions(ListTransactionsRequest)
}

package enum RequestDecoder {
  /// Reads one request.
  ///
  /// Bytes after the last field are tolerated, as Kafka does. An `ApiVersions` request of a version that is not offered
  /// is returned with its header only (`APIVersions.isOffered` tells): it must be answered, with
  /// `ApiVersionsResponse.unsupportedVersion`.
  /// - Parameter frame: the bytes after the length prefix.
  /// - Throws: `WireError` for anything else that is not understood; the connection cannot go on.
  package static func decode(frame: ByteBuffer) throws(WireError) -> (header: RequestHeader, request: Request) {
    var reader = WireReader(frame, isFlexible: false)
    let header = try RequestHeader(from: &reader)
    guard APIVersions.isOffered(header.key, version: header.version) else {
      return (header, .apiVersions(ApiVersionsRequest()))
    }
    return (header, try Request(from: &reader, key: header.key, version: header.version))
  }
}

extension Request {
  fileprivate init(from reader: inout WireReader, key: APIKey, version: Int16) throws(WireError) {
    self =
      switch key {
      case .produce: .produce(try .init(from: &reader, version: version))
      case .fetch: .fetch(try .init(from: &reader, version: version))
      case .listOffsets: .listOffsets(try .init(from: &reader, version: version))
      case .metadata: .metadata(try .init(from: &reader, version: version))
      case .offsetCommit: .offsetCommit(try .init(from: &reader, version: version))
      case .offsetFetch: .offsetFetch(try .init(from: &reader, version: version))
      case .findCoordinator: .findCoordinator(try .init(from: &reader, version: version))
      case .joinGroup: .joinGroup(try .init(from: &reader, version: version))
      case .heartbeat: .heartbeat(try .init(from: &reader, version: version))
      case .leaveGroup: .leaveGroup(try .init(from: &reader, version: version))
      case .syncGroup: .syncGroup(try .init(from: &reader, version: version))
      case .describeGroups: .describeGroups(try .init(from: &reader, version: version))
      case .listGroups: .listGroups(try .init(from: &reader, version: version))
      case .saslHandshake: .saslHandshake(try .init(from: &reader, version: version))
      case .apiVersions: .apiVersions(try .init(from: &reader, version: version))
      case .createTopics: .createTopics(try .init(from: &reader, version: version))
      case .deleteTopics: .deleteTopics(try .init(from: &reader, version: version))
      case .deleteRecords: .deleteRecords(try .init(from: &reader, version: version))
      case .initProducerID: .initProducerID(try .init(from: &reader, version: version))
      case .offsetForLeaderEpoch: .offsetForLeaderEpoch(try .init(from: &reader, version: version))
      case .addPartitionsToTxn: .addPartitionsToTxn(try .init(from: &reader, version: version))
      case .addOffsetsToTxn: .addOffsetsToTxn(try .init(from: &reader, version: version))
      case .endTxn: .endTxn(try .init(from: &reader, version: version))
      case .txnOffsetCommit: .txnOffsetCommit(try .init(from: &reader, version: version))
      case .describeConfigs: .describeConfigs(try .init(from: &reader, version: version))
      case .alterConfigs: .alterConfigs(try .init(from: &reader, version: version))
      case .saslAuthenticate: .saslAuthenticate(try .init(from: &reader, version: version))
      case .createPartitions: .createPartitions(try .init(from: &reader, version: version))
      case .deleteGroups: .deleteGroups(try .init(from: &reader, version: version))
      case .incrementalAlterConfigs: .incrementalAlterConfigs(try .init(from: &reader, version: version))
      case .offsetDelete: .offsetDelete(try .init(from: &reader, version: version))
      case .describeCluster: .describeCluster(try .init(from: &reader, version: version))
      case .describeProducers: .describeProducers(try .init(from: &reader, version: version))
      case .describeTransactions: .describeTransactions(try .init(from: &reader, version: version))
      case .listTransactions: .listTransactions(try .init(from: &reader, version: version))
      }
  }
}

extension Request {
  /// The message, whatever its API.
  package var message: any WireRequest {
    switch self {
    case .produce(let message): message
    case .fetch(let message): message
    case .listOffsets(let message): message
    case .metadata(let message): message
    case .offsetCommit(let message): message
    case .offsetFetch(let message): message
    case .findCoordinator(let message): message
    case .joinGroup(let message): message
    case .heartbeat(let message): message
    case .leaveGroup(let message): message
    case .syncGroup(let message): message
    case .describeGroups(let message): message
    case .listGroups(let message): message
    case .saslHandshake(let message): message
    case .apiVersions(let message): message
    case .createTopics(let message): message
    case .deleteTopics(let message): message
    case .deleteRecords(let message): message
    case .initProducerID(let message): message
    case .offsetForLeaderEpoch(let message): message
    case .addPartitionsToTxn(let message): message
    case .addOffsetsToTxn(let message): message
    case .endTxn(let message): message
    case .txnOffsetCommit(let message): message
    case .describeConfigs(let message): message
    case .alterConfigs(let message): message
    case .saslAuthenticate(let message): message
    case .createPartitions(let message): message
    case .deleteGroups(let message): message
    case .incrementalAlterConfigs(let message): message
    case .offsetDelete(let message): message
    case .describeCluster(let message): message
    case .describeProducers(let message): message
    case .describeTransactions(let message): message
    case .listTransactions(let message): message
    }
  }
}
