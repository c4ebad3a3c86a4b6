package import Core
package import Storage

/// Where datasets are beside the tables: `datasets/<name>/<version>`, versions from 1 on.
///
/// A folder without a manifest is of a build that goes on or has died. Nobody reads it, and its number is not given
/// again; it is removed once nothing of it has changed for `abandonedMilliseconds`.
package enum DatasetVersions {
  package static let abandonedMilliseconds: Int64 = 3_600_000

  /// The folder of the version after the newest that was begun.
  package static func next(_ name: String, in store: any BlobStore) throws(HeadraceError) -> BlobName {
    let folder = try BlobName("datasets/\(name)")
    let newest = try versions(folder, store).map(\.number).max() ?? 0
    return try folder.appending("\(newest + 1)")
  }

  /// The folder of the newest version; of the first one when there is none.
  package static func newest(_ name: String, in store: any BlobStore) throws(HeadraceError) -> BlobName {
    let folder = try BlobName("datasets/\(name)")
    let newest = try versions(folder, store).filter(\.isComplete).map(\.number).max() ?? 1
    return try folder.appending("\(newest)")
  }

  /// Removes what builds of this name left behind that died.
  package static func removeAbandoned(
    _ name: String, in store: any BlobStore, nowMilliseconds: Int64
  ) throws(HeadraceError) {
    for version in try versions(try BlobName("datasets/\(name)"), store)
    where !version.isComplete && version.changedMilliseconds < nowMilliseconds - abandonedMilliseconds {
      try store.delete(version.files)
    }
  }

  private struct Version {
    var number: Int
    var isComplete = false
    var changedMilliseconds = Int64.min
    var files: [BlobName] = []
  }

  private static func versions(_ folder: BlobName, _ store: any BlobStore) throws(HeadraceError) -> [Version] {
    var versions: [Int: Version] = [:]
    try store.forEach(in: folder) { (entry) throws(HeadraceError) in
      let parts = entry.name.relative(to: folder)?.split(separator: "/") ?? []
      guard parts.count == 2, let number = Int(parts[0]) else { return }
      var version = versions[number] ?? Version(number: number)
      if parts[1] == "manifest.json" { version.isComplete = true }
      version.changedMilliseconds = max(version.changedMilliseconds, entry.modifiedMilliseconds)
      version.files.append(entry.name)
      versions[number] = version
    }
    return Array(versions.values)
  }
}
