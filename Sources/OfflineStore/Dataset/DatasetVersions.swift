package import Core
package import Storage

/// Where datasets are beside the tables: `datasets/<name>/<version>`, versions from 1 on.
package enum DatasetVersions {
  /// The folder of the version after the newest.
  package static func next(_ name: String, in store: any BlobStore) throws(HeadraceError) -> BlobName {
    let folder = try BlobName("datasets/\(name)")
    return try folder.appending("\(try newestVersion(folder, store) + 1)")
  }

  /// The folder of the newest version; of the first one when there is none.
  package static func newest(_ name: String, in store: any BlobStore) throws(HeadraceError) -> BlobName {
    let folder = try BlobName("datasets/\(name)")
    return try folder.appending("\(max(try newestVersion(folder, store), 1))")
  }

  private static func newestVersion(_ folder: BlobName, _ store: any BlobStore) throws(HeadraceError) -> Int {
    var newest = 0
    try store.forEach(in: folder) { (entry) throws(HeadraceError) in
      guard let version = entry.name.relative(to: folder)?.split(separator: "/").first.flatMap({ Int($0) }) else {
        return
      }
      newest = max(newest, version)
    }
    return newest
  }
}
