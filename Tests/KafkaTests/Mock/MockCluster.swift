import CRDKafka
import Core

@testable import Kafka

/// librdkafka's own broker, inside of this process: for tests of how a client handles errors.
///
/// It is no evidence for exactly-once: it delivers aborted records, keeps no transactional offsets, answers no look-up
/// by time and forgets after 5 MiB per partition.
// Unchecked: the mock cluster's calls are thread-safe.
@safe
final class MockCluster: @unchecked Sendable {
  private let host: RDClient
  private let cluster: OpaquePointer

  init(brokerCount: Int32 = 1) throws(HeadraceError) {
    let settings = RDSettings()
    try settings.set("client.id", "mock-cluster")
    host = try RDClient(RD_KAFKA_PRODUCER, settings, ClientConfiguration(bootstrapServers: ""))
    guard let cluster = unsafe rd_kafka_mock_cluster_new(host.handle, brokerCount) else {
      throw HeadraceError(.internal, "MOCK_CLUSTER", "the mock cluster did not start")
    }
    unsafe self.cluster = unsafe cluster
  }

  deinit { unsafe rd_kafka_mock_cluster_destroy(cluster) }

  var bootstrapServers: String { unsafe CStrings.string(rd_kafka_mock_cluster_bootstraps(cluster)) }

  func createTopic(_ name: String, partitionCount: Int32) throws(HeadraceError) {
    try host.check(
      unsafe rd_kafka_mock_topic_create(cluster, name, partitionCount, 1), while: "create the mock topic", place: name)
  }

  /// The next requests of this kind (by protocol number: 0 is Produce, 1 Fetch, 26 EndTxn) fail with these codes.
  func failRequests(apiKey: Int16, with codes: [KafkaErrorCode]) {
    var array = codes.map(\.librdkafka)
    unsafe rd_kafka_mock_push_request_errors_array(cluster, apiKey, array.count, &array)
  }

  /// Every partition of the topic answers with this code; `.none` ends it.
  func failTopic(_ name: String, with code: KafkaErrorCode) {
    unsafe rd_kafka_mock_topic_set_error(cluster, name, code.librdkafka)
  }

  /// Cuts a broker off, or connects it again.
  func setBroker(_ id: Int32, isUp: Bool) {
    _ = isUp ? unsafe rd_kafka_mock_broker_set_up(cluster, id) : unsafe rd_kafka_mock_broker_set_down(cluster, id)
  }

  /// Delays every answer of a broker.
  func setRoundTrip(ofBroker id: Int32, milliseconds: Int32) {
    unsafe rd_kafka_mock_broker_set_rtt(cluster, id, milliseconds)
  }

  /// Makes a broker the coordinator of a group or of a transactional id.
  func setCoordinator(ofGroup id: String, broker: Int32) {
    unsafe rd_kafka_mock_coordinator_set(cluster, "group", id, broker)
  }
}
