package import Core
package import Storage

/// The files of models, and what runs leave besides, under their content: `<SHA-256>` in a store of their own
/// (`DIR/models`), or in a folder of the store of tables.
///
/// A file is there before the command that names it is. So whoever reads a command finds its file, and a file that no
/// command names is merely in the way.
package struct ModelFileStore: Sendable {
  /// Larger than any model that is scored here.
  package static let bytesMax = 1 << 30

  private let store: any BlobStore
  /// Empty, or with a slash at its end.
  private let folder: String

  /// - Parameter below: a folder of the store.
  package init(_ store: any BlobStore, below folder: String? = nil) {
    self.store = store
    self.folder = folder.map { "\($0)/" } ?? ""
  }

  /// Keeps a file.
  ///
  /// - Returns: its content hash. A file that is there already is left as it is.
  package func put(_ bytes: [UInt8]) throws(HeadraceError) -> String {
    let hash = ContentHash.sha256(bytes)
    // Who wrote it matters to nobody: the name says what is in it.
    _ = try store.create(try name(of: hash), bytes)
    return hash
  }

  /// Keeps what a run left.
  package func put(_ bytes: [UInt8], named name: String) throws(HeadraceError) -> Artefact {
    Artefact(name: name, contentHash: try put(bytes), sizeBytes: bytes.count)
  }

  private func name(of contentHash: String) throws(HeadraceError) -> BlobName {
    try BlobName("\(folder)\(contentHash)")
  }

  /// - Throws: `MODEL_FILE_MISSING`; `MODEL_FILE_CHANGED` when the bytes are not those that the name says.
  package func read(_ contentHash: String) throws(HeadraceError) -> [UInt8] {
    guard let bytes = try store.read(try name(of: contentHash), bytesMax: Self.bytesMax) else {
      throw HeadraceError(
        .external, "MODEL_FILE_MISSING", "the model's file is not there", place: place(of: contentHash),
        remedy: "restore it from a copy, or add the model again")
    }
    let found = ContentHash.sha256(bytes)
    guard found == contentHash else {
      throw HeadraceError(
        .external, "MODEL_FILE_CHANGED", "the file's content has SHA-256 \(found), which is not its name",
        place: place(of: contentHash), remedy: "remove the file and restore it from a copy, or add the model again")
    }
    return bytes
  }

  /// What errors call a file.
  package func place(of contentHash: String) -> String { "\(store.place)/\(folder)\(contentHash)" }

  static func isContentHash(_ text: String) -> Bool {
    text.utf8.count == 64
      && text.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }
}
