/// One topic of a message with what the message says about its partitions: the shape that most messages share.
package struct TopicEntry<Partition: Sendable>: Sendable {
  package var name: String
  package var partitions: [Partition]

  package init(name: String, partitions: [Partition]) {
    self.name = name
    self.partitions = partitions
  }
}

extension TopicEntry: WireReadable where Partition: WireReadable {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    name = try reader.string("topic name")
    partitions = try reader.structures("partitions", version)
    try reader.skipTags()
  }
}

extension TopicEntry: WireWritable where Partition: WireWritable {
  package func write(to writer: inout WireWriter, version: Int16) {
    writer.string(name)
    writer.structures(partitions, version)
    writer.noTags()
  }
}

/// A partition that is only named by its index.
extension Int32: WireReadable, WireWritable {
  package init(from reader: inout WireReader, version: Int16) throws(WireError) {
    self = try reader.int32("partition index")
  }

  package func write(to writer: inout WireWriter, version: Int16) { writer.int32(self) }
}
