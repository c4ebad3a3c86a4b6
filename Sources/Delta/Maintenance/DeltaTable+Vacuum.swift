package import Core
package import Storage

/// What `vacuum` may delete.
package struct VacuumPolicy: Sendable {
  /// Nil for the table's own (`delta.deletedFileRetentionDuration`, 7 days). A shorter one must be allowed; a longer
  /// one cannot be kept, because the log forgets removed files after the table's.
  package var retentionMilliseconds: Int64?
  /// Whoever reads an older version, or is about to commit files, must be done within the retention.
  package var allowsShortRetention = false
  /// Versions whose files must stay, however old: training sets name them.
  package var pinnedVersions: [Int64] = []
  /// Say what would be deleted, and delete nothing.
  package var isDryRun = false

  package init() {}
}

package struct VacuumReport: Sendable, Equatable {
  /// Names in the store.
  package var deleted: [BlobName] = []
  package var deletedBytes: Int64 = 0
  /// Files that only pinned versions still need.
  package var pinned: [BlobName] = []
}

extension DeltaTable {
  /// Deletes files that the table does not need any more: removed ones and those of writers that died.
  ///
  /// Never a file of the newest version, of a pinned version, or of a version younger than the retention. If a pinned
  /// version cannot be read any more, nothing is deleted.
  ///
  /// - Throws: DELTA_RETENTION_REFUSED; DELTA_PINNED_VERSION_LOST.
  package mutating func vacuum(
    _ policy: VacuumPolicy = VacuumPolicy(), nowMilliseconds: Int64
  ) throws(HeadraceError) -> VacuumReport {
    try refresh()
    try snapshot.tableProtocol.requireWritable(place)
    let cutoff = nowMilliseconds - (try retention(policy))
    let pinned = try pinnedFiles(policy.pinnedVersions)
    let recent = Set(
      snapshot.contents.removed.values.filter { $0.removedMilliseconds ?? 0 >= cutoff }.map(\.path.name))
    var report = VacuumReport()
    try store.forEach(in: root) { (entry) throws(HeadraceError) in
      guard let relative = entry.name.relative(to: root), !Self.isHidden(relative),
        entry.modifiedMilliseconds < cutoff
      else { return }
      let name = try BlobName(relative)
      guard snapshot.contents.files[name] == nil, !recent.contains(name) else { return }
      if pinned.contains(name) {
        report.pinned.append(entry.name)
      } else {
        report.deleted.append(entry.name)
        report.deletedBytes &+= Int64(entry.sizeBytes)
      }
    }
    guard !policy.isDryRun else { return report }
    for name in report.deleted {
      try store.delete([name])
      DeltaKillPoint.pass(.vacuumDuring)
    }
    return report
  }

  private func retention(_ policy: VacuumPolicy) throws(HeadraceError) -> Int64 {
    let own = snapshot.metadata.deletedFileRetentionMilliseconds
    guard let wanted = policy.retentionMilliseconds else { return own }
    guard wanted >= 0, wanted <= own else {
      throw .deltaUser(
        "DELTA_RETENTION_REFUSED", "the log remembers removed files for \(own) ms, not for \(wanted)", place,
        remedy: "set delta.deletedFileRetentionDuration of the table")
    }
    guard wanted == own || policy.allowsShortRetention else {
      throw .deltaUser(
        "DELTA_RETENTION_REFUSED", "a retention of \(wanted) ms is shorter than the table's \(own) ms", place,
        remedy: "wait, or allow it if nobody reads old versions and nobody writes")
    }
    return wanted
  }

  private func pinnedFiles(_ versions: [Int64]) throws(HeadraceError) -> Set<BlobName> {
    var names: Set<BlobName> = []
    for version in Set(versions).sorted() {
      do throws(HeadraceError) {
        guard let pinned = try log.snapshot(version: version) else { continue }
        names.formUnion(pinned.contents.files.keys)
      } catch {
        throw HeadraceError(
          .user, "DELTA_PINNED_VERSION_LOST",
          "version \(version) is pinned and cannot be read, so its files are not known: \(error.message)", place: place,
          remedy: "restore the log, or delete what pins the version")
      }
    }
    return names
  }

  /// The log, and what other tools put beside the data; folders of a partition are none of it, whatever its name.
  private static func isHidden(_ relative: String) -> Bool {
    relative.split(separator: "/").contains { part in
      (part.hasPrefix("_") || part.hasPrefix(".")) && !part.contains("=")
    }
  }
}
