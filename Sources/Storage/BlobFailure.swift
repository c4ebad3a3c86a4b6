internal import Core

/// The failures that all stores share.
extension HeadraceError {
  static func blobTooLarge(_ place: String, sizeBytes: Int, bytesMax: Int) -> HeadraceError {
    HeadraceError(
      .external, "BLOB_TOO_LARGE", "the object has \(sizeBytes) bytes; at most \(bytesMax) are read here", place: place,
      remedy: "check that this file belongs there")
  }

  static func blobTruncated(_ place: String, sizeBytes: Int, range: Range<Int>) -> HeadraceError {
    HeadraceError(
      .external, "BLOB_TRUNCATED",
      "the object has \(sizeBytes) bytes; bytes \(range.lowerBound) to \(range.upperBound) were to be read",
      place: place, remedy: "restore the file from a copy")
  }

  static func blobExists(_ place: String) -> HeadraceError {
    HeadraceError(
      .internal, "BLOB_EXISTS", "there is an object of that name already", place: place,
      remedy: "names of data files are unique: write it under a new one")
  }
}
