internal import CRDKafka

/// The C library below, for those who have to say what they run on.
package enum KafkaLibrary {
  /// As the library that is loaded tells it, which need not be the one that was linked.
  package static var version: String { unsafe rd_kafka_version_str().map { unsafe String(cString: $0) } ?? "unknown" }
}
