/// Asks which APIs are offered in which versions. The first request of nearly every client.
package struct ApiVersionsRequest: WireReadable {
  package var clientSoftwareName = ""
  package var clientSoftwareVersion = ""
}

extension ApiVersionsRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    if version >= 3 {
      clientSoftwareName = try reader.string("client_software_name")
      clientSoftwareVersion = try reader.string("client_software_version")
    }
    try reader.skipTags()
  }
}

package struct ApiVersionsResponse: WireWritable {
  package struct Range: WireWritable {
    package var key: Int16
    package var minVersion: Int16
    package var maxVersion: Int16

    package init(_ versions: APIVersions) {
      key = versions.key.rawValue
      minVersion = versions.offered.lowerBound
      maxVersion = versions.offered.upperBound
    }
  }

  package var errorCode: ErrorCode = .none
  package var ranges: [Range] = APIVersions.table.map(Range.init)
  package var throttleMilliseconds: Int32 = 0

  /// The answer to a version that is not offered: the client reads it as version 0, finds the entry of ApiVersions and
  /// asks again on the same connection.
  package static let unsupportedVersion = ApiVersionsResponse(
    errorCode: .unsupportedVersion, ranges: APIVersions[.apiVersions].map { [Range($0)] } ?? [])
}

extension ApiVersionsResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.error(errorCode)
    writer.structures(ranges, version)
    if version >= 1 { writer.int32(throttleMilliseconds) }
    writer.noTags()
  }
}

extension ApiVersionsResponse.Range {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int16(key)
    writer.int16(minVersion)
    writer.int16(maxVersion)
    writer.noTags()
  }
}
