package import Core
internal import Glibc

/// The name of an object in a store: parts between slashes, relative to the store's root.
///
/// A name that exists was checked: no empty part, no `.` or `..`, no control character, at most 1,024 bytes of UTF-8
/// and 255 a part. So no name leads out of its store, whoever wrote it. Names are compared byte by byte, as S3 orders
/// them: two spellings of an accented letter are two names.
package struct BlobName: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let text: String

  package static let bytesMax = 1_024
  package static let partBytesMax = 255

  /// - Throws: BLOB_NAME_INVALID.
  package init(_ text: String) throws(HeadraceError) {
    if let reason = Self.reasonAgainst(text) {
      throw HeadraceError(
        .user, "BLOB_NAME_INVALID", "\(reason): \"\(text.prefix(200))\"",
        remedy: "names are relative paths of plain parts, such as events/departed/part-1.parquet")
    }
    self.text = text
  }

  /// A name inside of this one, taken as a folder.
  package func appending(_ rest: String) throws(HeadraceError) -> BlobName { try BlobName("\(text)/\(rest)") }

  package var description: String { text }

  /// Whether it lies in a folder, at any depth.
  package func isInside(_ folder: BlobName) -> Bool {
    text.utf8.count > folder.text.utf8.count + 1 && text.utf8.starts(with: folder.text.utf8)
      && text.utf8.dropFirst(folder.text.utf8.count).first == UInt8(ascii: "/")
  }

  /// What is behind `folder/`; nil when it does not lie in there.
  package func relative(to folder: BlobName) -> String? {
    guard isInside(folder) else { return nil }
    return String(text.utf8.dropFirst(folder.text.utf8.count + 1))
  }

  package static func == (left: BlobName, right: BlobName) -> Bool {
    left.text.utf8.count == right.text.utf8.count && order(left, right) == 0
  }

  package static func < (left: BlobName, right: BlobName) -> Bool { order(left, right) < 0 }

  package func hash(into hasher: inout Hasher) {
    let bytes = text.utf8.span
    unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
  }

  /// Below, at or above zero.
  private static func order(_ left: BlobName, _ right: BlobName) -> Int {
    let (left, right) = (left.text.utf8.span, right.text.utf8.span)
    let common = unsafe left.withUnsafeBytes { left in
      unsafe right.withUnsafeBytes { right -> Int32 in
        guard let start = left.baseAddress, let other = right.baseAddress else { return 0 }
        return unsafe memcmp(start, other, min(left.count, right.count))
      }
    }
    return common == 0 ? left.count - right.count : Int(common)
  }

  private static func reasonAgainst(_ text: String) -> String? {
    guard text.utf8.count <= bytesMax else { return "the name has more than \(bytesMax) bytes" }
    guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { return "the name has a control character" }
    for part in text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      if part.isEmpty { return "the name has an empty part" }
      if part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) { return "the name leaves its folder" }
      if part.count > partBytesMax { return "a part of the name has more than \(partBytesMax) bytes" }
    }
    return nil
  }
}
