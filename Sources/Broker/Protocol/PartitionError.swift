/// A partition and what became of it, where a response says nothing else.
package struct PartitionError: WireWritable {
  package var index: Int32
  package var errorCode: ErrorCode = .none

  package func write(to writer: inout WireWriter, version: Int16) {
    writer.int32(index)
    writer.error(errorCode)
    writer.noTags()
  }
}
