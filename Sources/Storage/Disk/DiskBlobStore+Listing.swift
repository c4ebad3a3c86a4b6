package import Core

extension DiskBlobStore {
  package func list(
    in folder: BlobName?, after: BlobName?, countMax: Int
  ) throws(HeadraceError) -> [BlobEntry] {
    var found: [BlobEntry] = []
    try walk(folder?.text ?? "", after: after, countMax: countMax, depth: 0, into: &found)
    return found
  }

  /// Depth first. With a slash behind the names of folders, the order of the names in a folder is the order of the
  /// whole names.
  private func walk(
    _ folder: String, after: BlobName?, countMax: Int, depth: Int, into found: inout [BlobEntry]
  ) throws(HeadraceError) {
    let path = folder.isEmpty ? root : "\(root)/\(folder)"
    let names = try DiskCalls.names(in: path).filter { !folder.isEmpty || $0.name != Self.temporaryFolder }
    let sorted = names.map { (sortKey: Array(($0.isFolder ? $0.name + "/" : $0.name).utf8), entry: $0) }
      .sorted { $0.sortKey.lexicographicallyPrecedes($1.sortKey) }
    for (_, entry) in sorted {
      guard found.count < countMax else { return }
      let full = folder.isEmpty ? entry.name : "\(folder)/\(entry.name)"
      // What other tools put there under names that no store would take is none of our objects.
      guard let name = try? BlobName(full), depth < 64 else { continue }
      if entry.isFolder {
        // All of it comes before `after`, unless `after` lies in there.
        if let after, !after.isInside(name), "\(full)/".utf8.lexicographicallyPrecedes(after.text.utf8) { continue }
        try walk(full, after: after, countMax: countMax, depth: depth + 1, into: &found)
      } else if after.map({ $0 < name }) ?? true, let status = DiskCalls.status("\(root)/\(full)") {
        found.append(
          BlobEntry(
            name: name, sizeBytes: status.sizeBytes, modifiedMilliseconds: status.modifiedMilliseconds))
      }
    }
  }
}
