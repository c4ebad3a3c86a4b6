internal import CRDKafka
internal import Core

/// The properties of a client that is not yet made.
@safe
struct RDSettings: ~Copyable {
  private let pointer: OpaquePointer

  init() { unsafe pointer = rd_kafka_conf_new() }

  deinit { unsafe rd_kafka_conf_destroy(pointer) }

  func set(_ name: String, _ value: String) throws(HeadraceError) {
    let (result, text) = unsafe CStrings.explained { unsafe rd_kafka_conf_set(pointer, name, value, $0, $1) }
    guard result != RD_KAFKA_CONF_OK else { return }
    throw HeadraceError(
      .user, "CLIENT_PROPERTY", text, place: name, remedy: "see CONFIGURATION.md of librdkafka")
  }

  func set(_ name: String, _ value: Int32) throws(HeadraceError) { try set(name, String(value)) }
  func set(_ name: String, _ value: Bool) throws(HeadraceError) { try set(name, value ? "true" : "false") }

  /// As `set`, for a property that older versions of the library do not have.
  func setWhereKnown(_ name: String, _ value: String) throws(HeadraceError) {
    let (result, _) = unsafe CStrings.explained { unsafe rd_kafka_conf_set(pointer, name, value, $0, $1) }
    if result != RD_KAFKA_CONF_UNKNOWN { try set(name, value) }
  }

  /// As `set`, but the library's sentence, which may quote the value, goes nowhere.
  func set(_ name: String, _ secret: Secret) throws(HeadraceError) {
    let (result, _) = unsafe CStrings.explained { unsafe rd_kafka_conf_set(pointer, name, secret.value, $0, $1) }
    guard result != RD_KAFKA_CONF_OK else { return }
    throw HeadraceError(.user, "CLIENT_PROPERTY", "the value is not accepted", place: name)
  }

  /// For the callbacks, which have no names.
  func withPointer(_ body: (OpaquePointer) -> Void) { unsafe body(pointer) }

  /// Makes the client, which takes these properties over; a client that cannot be made leaves them to be destroyed
  /// here.
  consuming func makeClient(_ type: rd_kafka_type_t) throws(HeadraceError) -> OpaquePointer {
    let (client, text) = unsafe CStrings.explained { unsafe rd_kafka_new(type, pointer, $0, $1) }
    guard let client = unsafe client else {
      _ = consume self
      throw HeadraceError(.user, "CLIENT_CONFIGURATION", text, remedy: "mend the configuration")
    }
    discard self
    return unsafe client
  }
}
