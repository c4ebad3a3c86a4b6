internal import Core

/// One answer to a listing (Amazon S3 API Reference, ListObjectsV2).
package struct S3ListingPage {
  /// Objects under names of ours, in the order of the answer.
  package private(set) var entries: [BlobEntry] = []
  /// Where the next page begins; nil when this is the last one.
  package private(set) var lastKey: String?

  /// - Parameter start: what stands in front of the names of our store, with its slash.
  /// - Returns: nil when this is no answer of S3 to a question of ours.
  package init?(_ bytes: [UInt8], start: String) {
    guard let page = try? XMLElement(bytes) else { return nil }
    let contents = page.children("Contents")
    for element in contents {
      guard let key = element["Key"], key.utf8.starts(with: start.utf8),
        let sizeBytes = element["Size"].flatMap({ Int($0) }), sizeBytes >= 0
      else { return nil }
      // Keys that no store of ours would write, such as the empty "folders" of browsers, are none of our objects.
      guard let name = try? BlobName(String(Substring(key.utf8.dropFirst(start.utf8.count)))) else { continue }
      let modified = element["LastModified"].map { Array($0.utf8) }.flatMap { RFC3339.milliseconds($0.span) }
      entries.append(BlobEntry(name: name, sizeBytes: sizeBytes, modifiedMilliseconds: modified ?? 0))
    }
    if page["IsTruncated"] == "true" { lastKey = contents.last?["Key"] }
  }
}
