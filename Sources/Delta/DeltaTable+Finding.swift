package import Core
package import Storage

extension DeltaTable {
  /// The tables of a store: folders with a log in them, in the order of their names.
  package static func roots(in store: any BlobStore) throws(HeadraceError) -> [BlobName] {
    var roots: [BlobName] = []
    var after: BlobName?
    while true {
      let page = try store.list(in: nil, after: after, countMax: Self.entriesPerPage)
      guard let last = page.last else { return roots.sorted() }
      after = last.name
      for entry in page {
        guard let root = root(ofLogEntry: entry.name) else { continue }
        roots.append(root)
        // Whatever else is in the table comes before this name.
        after = try root.appending(Self.lastName)
        break
      }
    }
  }

  private static let entriesPerPage = 100
  /// The largest character: no name begins with anything behind it.
  private static let lastName = "\u{10FFFF}"

  private static func root(ofLogEntry name: BlobName) -> BlobName? {
    let parts = name.text.split(separator: "/")
    guard let folder = parts.firstIndex(of: Substring(LogName.folder)), folder > 0, folder + 2 == parts.count,
      LogName(String(parts[folder + 1])) != nil
    else { return nil }
    return try? BlobName(parts[..<folder].joined(separator: "/"))
  }
}
