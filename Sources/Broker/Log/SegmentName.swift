/// The names of files in a partition's folder.
enum SegmentName {
  static let logSuffix = ".log"
  static let indexSuffix = ".index"
  static let snapshotSuffix = ".snapshot"
  /// Written by compaction, not yet valid.
  static let cleanedSuffix = ".cleaned"
  /// To be removed.
  static let deletedSuffix = ".deleted"

  static let logStart = "log-start"
  static let recoveryPoint = "recovery-point"
  static let cleanShutdown = "clean-shutdown"
  static let cleanerCheckpoint = "cleaner-checkpoint"

  /// Twenty digits, so that names sort as offsets do.
  static func stem(_ offset: Int64) -> String {
    let digits = String(offset)
    return String(repeating: "0", count: max(0, 20 - digits.count)) + digits
  }

  /// The offset in a name with this suffix; nil for other names.
  static func offset(_ name: String, suffix: String) -> Int64? {
    guard name.hasSuffix(suffix), name.utf8.count == 20 + suffix.utf8.count,
      let offset = Int64(name.dropLast(suffix.count)), offset >= 0
    else { return nil }
    return offset
  }
}
