internal import CRDKafka

/// One record, borrowed from the library: valid while its batch is.
@safe
package struct ConsumedRecord: ~Escapable {
  let message: UnsafeMutablePointer<rd_kafka_message_t>

  @_lifetime(immortal)
  init(_ message: UnsafeMutablePointer<rd_kafka_message_t>) { unsafe self.message = message }

  package var offset: Int64 { unsafe message.pointee.offset }

  /// Milliseconds since 1970; -1 when the record has none.
  package var timestampMilliseconds: Int64 { unsafe rd_kafka_message_timestamp(message, nil) }

  package var timestampType: TimestampType {
    var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    _ = unsafe rd_kafka_message_timestamp(message, &type)
    return switch type {
    case RD_KAFKA_TIMESTAMP_CREATE_TIME: .createTime
    case RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME: .logAppendTime
    default: .none
    }
  }

  /// nil: the record has no key. An empty key has no bytes.
  package var key: RawSpan? {
    @_lifetime(copy self)
    get {
      guard let bytes = unsafe UnsafeRawPointer(message.pointee.key) else { return nil }
      let span = unsafe RawSpan(_unsafeStart: bytes, byteCount: message.pointee.key_len)
      return unsafe _overrideLifetime(span, copying: self)
    }
  }

  /// nil: a tombstone, which deletes its key from a compacted topic.
  package var value: RawSpan? {
    @_lifetime(copy self)
    get {
      guard let bytes = unsafe UnsafeRawPointer(message.pointee.payload) else { return nil }
      let span = unsafe RawSpan(_unsafeStart: bytes, byteCount: message.pointee.len)
      return unsafe _overrideLifetime(span, copying: self)
    }
  }

  /// As `key`, for callers that hand the bytes to C. Dangles when the batch ends.
  @unsafe package var keyBytes: UnsafeRawBufferPointer? {
    guard let bytes = unsafe message.pointee.key else { return nil }
    return unsafe UnsafeRawBufferPointer(start: bytes, count: message.pointee.key_len)
  }

  /// As `value`, for callers that hand the bytes to C. Dangles when the batch ends.
  @unsafe package var valueBytes: UnsafeRawBufferPointer? {
    guard let bytes = unsafe message.pointee.payload else { return nil }
    return unsafe UnsafeRawBufferPointer(start: bytes, count: message.pointee.len)
  }

  /// The epoch of the leader that appended the record; -1 where the library (before 2.1) does not say.
  package var leaderEpoch: Int32 { unsafe headrace_leader_epoch(message) }

  /// Parsed when first asked for; that, and only that, allocates.
  package var headers: RecordHeaders {
    @_lifetime(copy self)
    get {
      var list: OpaquePointer?
      let code = unsafe rd_kafka_message_headers(message, &list)
      let headers = unsafe RecordHeaders(code == RD_KAFKA_RESP_ERR_NO_ERROR ? list : nil)
      return unsafe _overrideLifetime(headers, copying: self)
    }
  }
}

/// Who set a record's timestamp.
package enum TimestampType: Sendable { case none, createTime, logAppendTime }

/// The headers of one record in their order; names may repeat.
@safe
package struct RecordHeaders: ~Escapable {
  private let list: OpaquePointer?
  package let count: Int

  @_lifetime(immortal)
  init(_ list: OpaquePointer?) {
    unsafe self.list = list
    unsafe count = list.map { unsafe rd_kafka_header_cnt($0) } ?? 0
  }

  package struct Header: ~Escapable {
    package let name: String
    /// nil: the header has no value.
    package let value: RawSpan?

    @_lifetime(copy value)
    init(name: String, value: RawSpan?) {
      self.name = name
      self.value = value
    }
  }

  /// - Precondition: `0 ..< count`.
  package subscript(_ index: Int) -> Header {
    @_lifetime(copy self)
    get {
      precondition(index >= 0 && index < count, "header index out of range")
      var name: UnsafePointer<CChar>?
      var bytes: UnsafeRawPointer?
      var size = 0
      _ = unsafe rd_kafka_header_get_all(list, index, &name, &bytes, &size)
      let text = unsafe name.map { unsafe String(cString: $0) } ?? ""
      guard let bytes = unsafe bytes else {
        return unsafe _overrideLifetime(Header(name: text, value: nil), copying: self)
      }
      let span = unsafe RawSpan(_unsafeStart: bytes, byteCount: size)
      return unsafe _overrideLifetime(Header(name: text, value: span), copying: self)
    }
  }

  /// The bytes of the last header of this name, as Java's `lastHeader`; nil when there is none, or it has no value.
  @_lifetime(copy self)
  package func last(_ name: String) -> RawSpan? {
    guard let list = unsafe list else { return nil }
    var bytes: UnsafeRawPointer?
    var size = 0
    guard unsafe rd_kafka_header_get_last(list, name, &bytes, &size) == RD_KAFKA_RESP_ERR_NO_ERROR,
      let bytes = unsafe bytes
    else { return nil }
    let span = unsafe RawSpan(_unsafeStart: bytes, byteCount: size)
    return unsafe _overrideLifetime(span, copying: self)
  }
}
