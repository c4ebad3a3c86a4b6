internal import CConsole
internal import NIOCore
internal import Storage

/// The console in the browser: files that are part of the program.
enum ConsoleFiles {
  struct File: Sendable {
    var contentType: Reply.ContentType
    var body: ByteBuffer
    /// In quotes, as `ETag` has it.
    var tag: String
  }

  /// The page itself.
  static let pagePath = "/"
  private static let folder = "/console/"

  /// Nothing but this server's own files: no inline scripts and styles, no frames, and no text that becomes markup.
  static let policy =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; "
    + "require-trusted-types-for 'script'; trusted-types 'none'"

  private static let byPath: [String: File] = {
    var count = 0
    guard let first = unsafe hr_console_files(&count) else { return [:] }
    let files = unsafe UnsafeBufferPointer(start: first, count: count)
    var byPath: [String: File] = [:]
    for index in files.indices {
      let file = unsafe files[index]
      let name = unsafe String(cString: file.name)
      let bytes = unsafe Array(UnsafeBufferPointer(start: file.bytes, count: file.count))
      let contentType: Reply.ContentType =
        name.hasSuffix(".html") ? .html : name.hasSuffix(".css") ? .css : name.hasSuffix(".svg") ? .svg : .script
      byPath[name == "index.html" ? pagePath : folder + name] = File(
        contentType: contentType, body: ByteBuffer(bytes: bytes), tag: "\"\(ContentHash.sha256(bytes).prefix(32))\"")
    }
    return byPath
  }()

  static var paths: [String] { byPath.keys.sorted() }

  /// - Parameter path: with whatever query.
  static subscript(path: String) -> File? {
    if let file = byPath[path] { return file }
    guard let query = path.utf8.firstIndex(of: UInt8(ascii: "?")) else { return nil }
    return byPath[String(path[..<query])]
  }
}
