internal import Core
internal import Storage

/// Where tables are: a folder, or a bucket of an object store.
enum TableLocation {
  /// - Parameter text: a folder, or `s3://BUCKET/PREFIX`; nil for `tables` below the data folder.
  static func store(_ text: String?, dataDirectory: String) throws(HeadraceError) -> any BlobStore {
    guard let text else { return try DiskBlobStore(root: "\(dataDirectory)/tables") }
    guard text.hasPrefix("s3://") else { return try DiskBlobStore(root: text) }
    return S3BlobStore(try S3Configuration(url: text, environment: Environment.all))
  }
}
