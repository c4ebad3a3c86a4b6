internal import Core
internal import HTTPClient

/// Uploads an object in parts; a small one in one request.
final class S3BlobWriter: BlobWriter {
  private let store: S3BlobStore
  private let connection: S3Connection
  private let name: BlobName
  private var waiting: [UInt8] = []
  private var uploadID: String?
  /// The entity tags of the parts that were uploaded.
  private var parts: [String] = []
  private var sizeBytes = 0

  init(store: S3BlobStore, connection: S3Connection, name: BlobName) {
    self.store = store
    self.connection = connection
    self.name = name
  }

  deinit { abort() }

  func append(_ bytes: [UInt8]) throws(HeadraceError) {
    waiting += bytes
    sizeBytes += bytes.count
    let partBytes = connection.configuration.partBytes
    while waiting.count >= 2 * partBytes { try upload(partBytes) }
  }

  func finish() throws(HeadraceError) -> Int {
    if uploadID == nil && waiting.count <= 2 * connection.configuration.partBytes {
      guard case .created = try store.create(name, waiting) else { throw .blobExists("\(store.place)/\(name)") }
    } else {
      while !waiting.isEmpty { try upload(connection.configuration.partBytes) }
      try complete()
    }
    uploadID = nil
    return sizeBytes
  }

  func abandon() { abort() }

  private func upload(_ count: Int) throws(HeadraceError) {
    let uploadID = try begin()
    let part = Array(waiting.prefix(count))
    let query = [("partNumber", String(parts.count + 1)), ("uploadId", uploadID)]
    let response = try connection.send(.init(method: "PUT", key: store.key(name), query: query, body: part))
    try store.expectSuccess(response, name)
    guard let tag = response.header("etag"), !tag.utf8.contains(where: { "<&>".utf8.contains($0) }) else {
      throw S3Failure(status: response.status, body: []).error("\(store.place)/\(name)", isChange: true)
    }
    parts.append(tag)
    waiting.removeFirst(part.count)
  }

  private func begin() throws(HeadraceError) -> String {
    if let uploadID { return uploadID }
    let response = try connection.send(.init(method: "POST", key: store.key(name), query: [("uploads", "")]))
    try store.expectSuccess(response, name)
    guard let id = (try? XMLElement(response.body))?["UploadId"], !id.isEmpty else {
      throw S3Failure(status: response.status, body: response.body).error("\(store.place)/\(name)", isChange: true)
    }
    uploadID = id
    return id
  }

  /// The answer may be a success that turns out to be a failure: S3 sends the status before it knows.
  private func complete() throws(HeadraceError) {
    let list = parts.enumerated().map { "<Part><PartNumber>\($0 + 1)</PartNumber><ETag>\($1)</ETag></Part>" }.joined()
    let body = Array("<CompleteMultipartUpload>\(list)</CompleteMultipartUpload>".utf8)
    let response = try connection.send(
      .init(
        method: "POST", key: store.key(name), query: [("uploadId", uploadID ?? "")],
        headers: [("content-type", "application/xml"), ("if-none-match", "*")], body: body))
    let failure = S3Failure(status: response.status, body: response.body)
    if 200...299 ~= response.status && failure.code.isEmpty { return }
    // Our own first attempt may have succeeded: then the upload is gone and the object is there.
    if ["NoSuchUpload", "PreconditionFailed"].contains(failure.code) || failure.isTrouble,
      try store.entry(name)?.sizeBytes == sizeBytes
    {
      return
    }
    throw failure.error("\(store.place)/\(name)", isChange: true)
  }

  /// Parts of an upload that nobody completes cost money until they are removed.
  private func abort() {
    waiting = []
    guard let id = uploadID else { return }
    uploadID = nil
    _ = try? connection.send(.init(method: "DELETE", key: store.key(name), query: [("uploadId", id)]))
  }
}
