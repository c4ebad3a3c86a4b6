package import Core
package import Storage

/// Where datasets are beside the tables: `datasets/<name>/<version>`, versions from 1 on.
package enum DatasetVersions {
  /// The folder of the version after the newest.
  package static func next(_ name: String, in store: any BlobStore) throws(HeadraceError) -> BlobName {
    let folder = try BlobName("datasets/\(name)")
    var newest = 0
    try store.forEach(in: folder) { entry throws(HeadraceError) in
      guard let version = entry.name.relative(to: folder)?.split(separator: "/").first.flatMap({ Int($0) }) else { return }
      newest = max(newest, version)
    }
    return try folder.appending("\(newest + 1)")
  }
}
