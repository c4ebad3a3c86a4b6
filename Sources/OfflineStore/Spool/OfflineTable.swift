package import Columns

/// A table that a task writes rows of its partition to.
package struct OfflineTable: Sendable, Hashable {
  package struct Field: Sendable, Hashable {
    package var name: String
    package var type: ColumnType
    package var isNullable: Bool
    /// What the column means, for who reads the table; empty for nothing.
    package var comment: String

    package init(_ name: String, _ type: ColumnType, isNullable: Bool = true, comment: String = "") {
      self.name = name
      self.type = type
      self.isNullable = isNullable
      self.comment = comment
    }
  }

  /// Below the tables' root: `events/payments`.
  package var name: String
  package var fields: [Field]
  /// Which field is the offset of the record that a row comes from.
  package var offsetField: Int
  /// The input whose offsets say how far the table is.
  package var topic: String
  package var partition: Int32
  /// Under which the table remembers the offset behind the last row of this partition (Delta's `txn`).
  package var applicationID: String
  /// Of the plan that makes the rows; commits name it.
  package var planFingerprint: String?

  /// - Parameter topology: whose rows these are; two topologies that write one table do not know of each other.
  package init(
    name: String, fields: [Field], offsetField: Int, topology: String, topic: String, partition: Int32
  ) {
    precondition(fields[offsetField].type == .integer, "offsets are integers")
    self.name = name
    self.fields = fields
    self.offsetField = offsetField
    self.topic = topic
    self.partition = partition
    applicationID = Self.applicationID(topology: topology, topic: topic, partition: partition)
  }

  /// - Parameter partition: nil for what the ids of all partitions begin with.
  package static func applicationID(topology: String, topic: String, partition: Int32?) -> String {
    "headrace/\(topology)/\(topic)/\(partition.map(String.init) ?? "")"
  }

  /// Under which the table remembers the first offset of this partition that it covers.
  package var beginningID: String { Self.beginningID(of: applicationID) }

  static func beginningID(of applicationID: String) -> String { "\(applicationID)/from" }

  package var types: [ColumnType] { fields.map(\.type) }
  var offsetName: String { fields[offsetField].name }
}
