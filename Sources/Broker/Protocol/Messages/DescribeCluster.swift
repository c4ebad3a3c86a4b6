/// Asks for the brokers without any topic (KIP-700).
package struct DescribeClusterRequest: WireReadable {
  package var includeClusterAuthorizedOperations: Bool
  /// 1: brokers, 2: controllers (KIP-919).
  package var endpointType: Int8 = 1
}

extension DescribeClusterRequest {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    includeClusterAuthorizedOperations = try reader.bool("include_cluster_authorized_operations")
    if version >= 1 { endpointType = try reader.int8("endpoint_type") }
    try reader.skipTags()
  }
}

package struct DescribeClusterResponse: WireWritable {
  package typealias Broker = MetadataResponse.Broker

  package var throttleMilliseconds: Int32 = 0
  package var errorCode: ErrorCode = .none
  package var errorMessage: String?
  package var endpointType: Int8 = 1
  package var clusterID = ""
  package var controllerID: Int32 = -1
  package var brokers: [Broker] = []
  package var clusterAuthorizedOperations = unknownAuthorizedOperations
}

extension DescribeClusterResponse {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(throttleMilliseconds)
    writer.error(errorCode)
    writer.nullableString(errorMessage)
    if version >= 1 { writer.int8(endpointType) }
    writer.string(clusterID)
    writer.int32(controllerID)
    // A broker looks as in the flexible versions of Metadata.
    writer.structures(brokers, 9)
    writer.int32(clusterAuthorizedOperations)
    writer.noTags()
  }
}
