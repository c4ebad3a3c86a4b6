internal import Core
internal import Storage

/// Where a dataset is written: data files under names that a part and a number give, and a manifest that makes them
/// one.
struct DatasetTarget: Sendable {
  let store: any BlobStore
  /// nil when the store is the dataset.
  let folder: BlobName?

  var place: String { folder.map { "\(store.place)/\($0)" } ?? store.place }

  /// Whether a name can be that of a data file.
  static func isDataFile(_ name: String) -> Bool {
    guard !name.contains("/"), name.hasSuffix(".parquet") else { return false }
    let parts = name.dropLast(".parquet".count).split(separator: "-")
    return parts.count == 2 && ["data", "train", "test"].contains(parts[0])
      && parts[1].utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  static func file(_ part: String, _ number: Int) -> String {
    let digits = "\(number)"
    return "\(part)-\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).parquet"
  }

  func name(_ file: String) throws(HeadraceError) -> BlobName {
    if let folder { return try folder.appending(file) }
    return try BlobName(file)
  }

  /// Removes what a build that died left behind: without a manifest its files are nobody's.
  ///
  /// - Throws: DATASET_EXISTS.
  func requireEmpty() throws(HeadraceError) {
    guard try store.entry(try name("manifest.json")) == nil else {
      throw exists("there is a dataset already")
    }
    var left: [BlobName] = []
    try store.forEach(in: folder) { (entry) throws(HeadraceError) in
      let file = folder.map { entry.name.relative(to: $0) ?? "" } ?? entry.name.text
      if Self.isDataFile(file) { left.append(entry.name) }
    }
    try store.delete(left)
  }

  /// Makes it a dataset.
  ///
  /// - Throws: DATASET_EXISTS when another process was faster; DATASET_DISTURBED when it has removed our files.
  func publish(_ manifest: DatasetManifest) throws(HeadraceError) {
    for file in manifest.files {
      guard try store.entry(try name(file.name))?.sizeBytes == file.sizeBytes else {
        throw HeadraceError(
          .external, "DATASET_DISTURBED", "\(file.name) is not as it was written", place: place,
          remedy: "another build writes to the same folder: let one of them finish")
      }
    }
    guard try store.putIfAbsent(try name("manifest.json"), manifest.json) else {
      throw exists("another process wrote a dataset there")
    }
  }

  private func exists(_ what: String) -> HeadraceError {
    HeadraceError(
      .user, "DATASET_EXISTS", what, place: place,
      remedy: "datasets do not change: give the new one another name or another folder")
  }
}
