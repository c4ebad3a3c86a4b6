/// A request, or a structure inside of one, that can be read in every version the table offers.
///
/// A field that a version lacks takes the default that the protocol's schema documents for it.
package protocol WireReadable: Sendable {
  init(from reader: inout WireReader, version: Int16) throws(WireError)
}

/// A response, or a structure inside of one, that can be written in every version the table offers.
///
/// Fields that a version lacks are left out.
package protocol WireWritable: Sendable {
  func write(to writer: inout WireWriter, version: Int16)
}

/// The message of a whole request.
package protocol WireRequest: WireReadable {
  associatedtype Response: WireWritable

  /// The answer that says `code` wherever an answer of this API can say it: for what concerns a request as a whole,
  /// such as a missing permission or an injected fault.
  func failure(_ code: ErrorCode) -> Response
}
