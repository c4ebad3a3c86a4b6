/// The redo record of a compaction. Once it is in the folder the compaction has happened, and whoever finds it finishes
/// the exchange of files; without it the new files are rubbish.
///
/// For each group: the new file takes the name of the first original, then the other originals go. Every step may be
/// done again.
struct CompactionManifest {
  private static let name = "compaction"
  /// Base offsets of the originals of each group.
  var groups: [[Int64]]
  /// Markers below may be gone. A snapshot from before then could know of a transaction whose end is no longer in the
  /// log, so the snapshots below go too.
  var cleanedUpTo: Int64

  func store(in folder: String) throws(StorageFailure) {
    var encoder = BigEndianEncoder()
    encoder.append(cleanedUpTo)
    encoder.append(UInt32(groups.count))
    for group in groups {
      encoder.append(UInt32(group.count))
      for base in group { encoder.append(base) }
    }
    try CheckedFile.replace(Self.path(folder), kind: .compactionManifest, payload: encoder.bytes, durable: true)
  }

  static func remove(from folder: String) throws(StorageFailure) {
    try LogFolder.remove(path(folder))
  }

  /// Finishes a compaction that a crash interrupted.
  static func finish(in folder: String) throws(StorageFailure) {
    guard LogFolder.exists(path(folder)) else { return }
    if let payload = CheckedFile.payload(path(folder), kind: .compactionManifest), let manifest = Self(payload) {
      for group in manifest.groups { try exchange(group, in: folder) }
      try removeSnapshots(below: manifest.cleanedUpTo, in: folder)
      try LogFolder.synchronize(folder)
    }
    try remove(from: folder)
  }

  /// Puts a group's new segment in the place of its originals.
  static func exchange(_ bases: [Int64], in folder: String) throws(StorageFailure) {
    guard let first = bases.first else { return }
    let stem = "\(folder)/\(SegmentName.stem(first))"
    let log = stem + SegmentName.logSuffix
    let index = stem + SegmentName.indexSuffix
    if LogFolder.exists(log + SegmentName.cleanedSuffix) {
      // The old index must not be taken for one of the new file.
      try LogFolder.remove(index)
      try LogFolder.rename(log + SegmentName.cleanedSuffix, to: log)
    }
    KillPoint.pass(.compactionDuringSwap)
    if LogFolder.exists(index + SegmentName.cleanedSuffix) {
      try LogFolder.rename(index + SegmentName.cleanedSuffix, to: index)
    }
    for base in bases.dropFirst() {
      let original = "\(folder)/\(SegmentName.stem(base))"
      try LogFolder.remove(original + SegmentName.indexSuffix)
      try LogFolder.remove(original + SegmentName.logSuffix)
    }
  }

  static func removeSnapshots(below offset: Int64, in folder: String) throws(StorageFailure) {
    for name in try LogFolder.names(in: folder) {
      if let taken = SegmentName.offset(name, suffix: SegmentName.snapshotSuffix), taken < offset {
        try LogFolder.remove("\(folder)/\(name)")
      }
    }
  }

  private static func path(_ folder: String) -> String { "\(folder)/\(name)" }

  private init?(_ payload: [UInt8]) {
    var decoder = BigEndianDecoder(payload)
    guard let cleanedUpTo = decoder.next(Int64.self), let count = decoder.next(UInt32.self) else { return nil }
    self.cleanedUpTo = cleanedUpTo
    groups = []
    for _ in 0..<count {
      guard let originals = decoder.next(UInt32.self) else { return nil }
      var bases: [Int64] = []
      for _ in 0..<originals {
        guard let base = decoder.next(Int64.self) else { return nil }
        bases.append(base)
      }
      groups.append(bases)
    }
  }

  init(groups: [[Int64]], cleanedUpTo: Int64) {
    self.groups = groups
    self.cleanedUpTo = cleanedUpTo
  }
}
