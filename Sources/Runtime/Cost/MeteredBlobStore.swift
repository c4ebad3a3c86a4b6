internal import Core
internal import Cost
internal import Storage
internal import Synchronization

/// A store whose bytes are counted, by the table that they belong to.
final class MeteredBlobStore: BlobStore {
  private let store: any BlobStore
  private let meters: MeterTable
  private let read: Resource
  private let written: Resource
  private let slots = Mutex<[String: MeterTable.Slot]>([:])

  init(_ store: any BlobStore, _ meters: MeterTable) {
    self.store = store
    self.meters = meters
    let isRemote = store.place.hasPrefix("s3://")
    read = isRemote ? .networkBytesIn : .diskBytesRead
    written = isRemote ? .networkBytesOut : .diskBytesWritten
  }

  var place: String { store.place }
  var backoffMilliseconds: Int { store.backoffMilliseconds }

  func read(_ name: BlobName, bytesMax: Int) throws(HeadraceError) -> [UInt8]? {
    let bytes = try store.read(name, bytesMax: bytesMax)
    note(bytes?.count ?? 0, read, name)
    return bytes
  }

  func read(_ name: BlobName, range: Range<Int>) throws(HeadraceError) -> [UInt8]? {
    let bytes = try store.read(name, range: range)
    note(bytes?.count ?? 0, read, name)
    return bytes
  }

  func read(_ names: [BlobName], bytesMax: Int) throws(HeadraceError) -> [[UInt8]?] {
    let objects = try store.read(names, bytesMax: bytesMax)
    for (name, bytes) in zip(names, objects) { note(bytes?.count ?? 0, read, name) }
    return objects
  }

  func entry(_ name: BlobName) throws(HeadraceError) -> BlobEntry? { try store.entry(name) }

  func list(in folder: BlobName?, after: BlobName?, countMax: Int) throws(HeadraceError) -> [BlobEntry] {
    try store.list(in: folder, after: after, countMax: countMax)
  }

  func putIfAbsent(_ name: BlobName, _ bytes: [UInt8]) throws(HeadraceError) -> Bool {
    note(bytes.count, written, name)
    return try store.putIfAbsent(name, bytes)
  }

  func put(_ name: BlobName, _ bytes: [UInt8]) throws(HeadraceError) {
    note(bytes.count, written, name)
    try store.put(name, bytes)
  }

  func delete(_ names: [BlobName]) throws(HeadraceError) { try store.delete(names) }

  func writer(_ name: BlobName) throws(HeadraceError) -> any BlobWriter {
    MeteredBlobWriter(try store.writer(name), meters, written, slot(of: name))
  }

  private func note(_ count: Int, _ resource: Resource, _ name: BlobName) {
    if count > 0 { meters.add(Int64(count), resource, to: slot(of: name)) }
  }

  private func slot(of name: BlobName) -> MeterTable.Slot {
    let parts = name.text.split(separator: "/", maxSplits: 2)
    let folder = parts.first.map(String.init) ?? ""
    let table = parts.count > 2 ? String(parts[1]) : ""
    let key = "\(folder)/\(table)"
    return slots.withLock { slots in
      if let known = slots[key] { return known }
      let slot = meters.slot(.archive, Subject(table: folder, table))
      slots[key] = slot
      return slot
    }
  }
}

/// Counts what is written to one object.
private final class MeteredBlobWriter: BlobWriter {
  private let writer: any BlobWriter
  private let meters: MeterTable
  private let written: Resource
  private let slot: MeterTable.Slot

  init(_ writer: any BlobWriter, _ meters: MeterTable, _ written: Resource, _ slot: MeterTable.Slot) {
    self.writer = writer
    self.meters = meters
    self.written = written
    self.slot = slot
  }

  func append(_ bytes: [UInt8]) throws(HeadraceError) {
    meters.add(Int64(bytes.count), written, to: slot)
    try writer.append(bytes)
  }

  func finish() throws(HeadraceError) -> Int { try writer.finish() }
  func abandon() { writer.abandon() }
}

extension Subject {
  /// Whose a table is: `events/<source>`, `features/<view>`, `predictions/<model>`; others are their own.
  init(table folder: String, _ name: String) {
    switch folder {
    case "events": self = .source(name)
    case "features": self = .view(name)
    case "predictions": self = .model(name)
    default: self = .table(name.isEmpty ? folder : "\(folder)/\(name)")
    }
  }
}
