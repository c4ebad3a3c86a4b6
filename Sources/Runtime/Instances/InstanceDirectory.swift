/// Which process has which task of one topology, as far as the processes have told: records in, owners out.
///
/// A process that dies says nothing any more, so that what it has claimed stays until another one claims it: of two
/// claims of one task the one that began later counts.
package struct InstanceDirectory: Sendable, Equatable {
  private struct Entry: Sendable, Equatable {
    var record: InstanceRecord
    /// By task: the offset of the record with which the claim began.
    var claims: [Int32: Int64]
  }

  private let topology: String
  private var entries: [String: Entry] = [:]
  /// By task, kept so that a look-up is one.
  private var owners: [Int32: InstanceRecord] = [:]
  /// Behind the newest record that is known.
  private(set) var nextOffset: Int64 = 0

  package init(topology: String) { self.topology = topology }

  /// The process that has a task; nil when nobody has said so.
  package func owner(of partition: Int32) -> InstanceRecord? { owners[partition] }

  /// Another process with tasks that says it answers at the address of one.
  func twin(of instance: String, at address: String) -> InstanceRecord? {
    entries.values.map(\.record)
      .filter { $0.address == address && $0.instance != instance && !$0.partitions.isEmpty }
      .min { $0.instance < $1.instance }
  }

  /// Takes in a record of the topic; one that is known already changes nothing.
  ///
  /// - Parameter record: nil when the process has said that it goes.
  package mutating func apply(key: String, _ record: InstanceRecord?, offset: Int64) {
    guard offset >= nextOffset else { return }
    nextOffset = offset + 1
    guard let record, record.topology == topology, record.key == key else {
      if entries.removeValue(forKey: key) != nil { findOwners() }
      return
    }
    // What a former life of the process claimed counts no more: another one may have taken it over since, and died.
    let known = entries[key]
    let former = known?.record.life == record.life ? known?.claims ?? [:] : [:]
    var claims: [Int32: Int64] = [:]
    for partition in record.partitions { claims[partition] = former[partition] ?? offset }
    entries[key] = Entry(record: record, claims: claims)
    findOwners()
  }

  private mutating func findOwners() {
    var newest: [Int32: Int64] = [:]
    owners.removeAll(keepingCapacity: true)
    // Offsets are all different, so that the order of the entries does not show.
    for entry in entries.values {
      for (partition, offset) in entry.claims where offset > newest[partition] ?? -1 {
        newest[partition] = offset
        owners[partition] = entry.record
      }
    }
  }
}
