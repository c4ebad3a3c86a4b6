package import Core
internal import Glibc

extension Contract {
  /// Reads `FOLDER/SUBJECT.avsc`.
  ///
  /// - Throws: CONTRACT_UNREADABLE when the file cannot be read; else what is wrong in it.
  package static func load(file: String) throws(HeadraceError) -> Contract {
    let name = file.split(separator: "/").last.map(String.init) ?? file
    let subject = name.hasSuffix(".avsc") ? String(name.dropLast(5)) : name
    return try Contract(subject: subject, json: try bytes(of: file), file: file)
  }

  private static func bytes(of file: String) throws(HeadraceError) -> [UInt8] {
    guard let handle = unsafe fopen(file, "re") else { throw unreadable(file) }
    defer { unsafe fclose(handle) }
    // One more than a schema may have, so that a larger one is seen.
    var bytes = [UInt8](repeating: 0, count: AvroSchema.sizeBytesMax + 1)
    let count = unsafe fread(&bytes, 1, bytes.count, handle)
    guard unsafe ferror(handle) == 0 else { throw unreadable(file) }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  private static func unreadable(_ file: String) -> HeadraceError {
    let reason = unsafe String(cString: strerror(errno))
    return HeadraceError(
      .user, "CONTRACT_UNREADABLE", "the schema cannot be read: \(reason)", place: file,
      remedy: "check the path; a contract is a file SUBJECT.avsc in the folder of schemas")
  }
}
