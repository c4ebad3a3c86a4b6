/// Names the SASL mechanism of the exchange that follows.
package struct SaslHandshakeRequest: WireReadable {
  package var mechanism: String
}

extension SaslHandshakeRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    mechanism = try reader.string("mechanism")
  }
}

package struct SaslHandshakeResponse: WireWritable {
  package var errorCode: ErrorCode = .none
  /// What the broker offers.
  package var mechanisms: [String]
}

extension SaslHandshakeResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.error(errorCode)
    writer.strings(mechanisms)
  }
}
