// Header and directory.
extension FeatureRow {
  /// What the first byte says. A change of any layout below changes it.
  package static let formatVersion: UInt8 = 1

  enum HeaderOffset {
    static let version = 0
    static let regionCount = 2
    static let layoutTag = 4
    static let newestEventTime = 8
    static let wastedBytes = 16
    static let directory = 24
  }

  static let directoryEntryBytes = 12

  /// Before any event.
  static let noEventTime = Int64.min

  static func headerBytes(regionCount: Int) -> Int {
    (HeaderOffset.directory + regionCount * directoryEntryBytes + 7) & ~7
  }

  /// An empty row.
  init(layoutTag: UInt32, regionCount: Int, capacity: Int) {
    self.init(zeroed: Self.headerBytes(regionCount: regionCount), capacity: capacity)
    writeHeader(layoutTag: layoutTag, regionCount: regionCount)
  }

  /// Into zeroed bytes.
  mutating func writeHeader(layoutTag: UInt32, regionCount: Int) {
    store(Self.formatVersion, at: HeaderOffset.version)
    store(UInt16(regionCount), at: HeaderOffset.regionCount)
    store(layoutTag, at: HeaderOffset.layoutTag)
    store(Self.noEventTime, at: HeaderOffset.newestEventTime)
  }

  var layoutTag: UInt32 { load(HeaderOffset.layoutTag) }

  /// The newest event time that was applied or repaired; `noEventTime` of an empty row.
  var newestEventTime: Int64 {
    @inline(__always) get { load(HeaderOffset.newestEventTime) }
    @inline(__always) set { store(newValue, at: HeaderOffset.newestEventTime) }
  }

  /// Nil before the first event.
  package var newestEventTimeMilliseconds: Int64? { newestEventTime == Self.noEventTime ? nil : newestEventTime }

  var wastedBytes: Int {
    get { Int(load(HeaderOffset.wastedBytes, as: UInt32.self)) }
    set { store(UInt32(truncatingIfNeeded: newValue), at: HeaderOffset.wastedBytes) }
  }

  @inline(__always)
  func regionStart(_ region: Int) -> Int { entry(region, 0) }
  @inline(__always)
  func cellCount(_ region: Int) -> Int { entry(region, 4) }
  @inline(__always)
  func cellCapacity(_ region: Int) -> Int { entry(region, 8) }

  @inline(__always)
  private func entry(_ region: Int, _ field: Int) -> Int {
    Int(load(HeaderOffset.directory + region * Self.directoryEntryBytes + field, as: UInt32.self))
  }

  @inline(__always)
  mutating func setCellCount(_ region: Int, _ count: Int) {
    store(UInt32(truncatingIfNeeded: count), at: HeaderOffset.directory + region * Self.directoryEntryBytes + 4)
  }

  mutating func setRegion(_ region: Int, start: Int, capacity: Int) {
    let entry = HeaderOffset.directory + region * Self.directoryEntryBytes
    store(UInt32(truncatingIfNeeded: start), at: entry)
    store(UInt32(truncatingIfNeeded: capacity), at: entry + 8)
  }
}
