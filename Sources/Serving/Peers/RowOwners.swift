package import Runtime

/// Another process of the topology that has tasks.
package struct RowOwner: Hashable, Sendable {
  package var instance: String
  /// HOST:PORT of its HTTP server.
  package var address: String

  package init(instance: String, address: String) {
    self.instance = instance
    self.address = address
  }
}

/// Knows which process has which task, as far as the processes have told one another.
package protocol RowOwners: Sendable {
  /// The other process that has a task; nil when nobody has said so, or it is this one.
  func owner(of partition: Int32) -> RowOwner?
}

extension InstanceLane: RowOwners {
  package func owner(of partition: Int32) -> RowOwner? {
    other(with: partition).map { RowOwner(instance: $0.instance, address: $0.address) }
  }
}
