package import Core
internal import HTTPClient

/// Objects in a bucket of S3, or of a service that speaks its protocol.
///
/// `If-None-Match: *` lets exactly one of two writers win a name. A time-out or an error 5xx of such a request says
/// nothing about who won: `create` reads back. Everything else here may be repeated, and is, within a budget.
package final class S3BlobStore: BlobStore {
  private let connection: S3Connection
  private var configuration: S3Configuration { connection.configuration }

  package init(_ configuration: S3Configuration, clock: WallClock = .system) {
    connection = S3Connection(configuration, clock: clock)
  }

  package var place: String {
    configuration.prefix.isEmpty
      ? "s3://\(configuration.bucket)" : "s3://\(configuration.bucket)/\(configuration.prefix)"
  }

  package func read(_ name: BlobName, bytesMax: Int) throws(HeadraceError) -> [UInt8]? {
    try object(name, try connection.send(getting(name)), bytesMax: bytesMax)
  }

  package func read(_ names: [BlobName], bytesMax: Int) throws(HeadraceError) -> [[UInt8]?] {
    let responses = try connection.send(names.map(getting))
    var objects: [[UInt8]?] = []
    for (name, response) in zip(names, responses) { objects.append(try object(name, response, bytesMax: bytesMax)) }
    return objects
  }

  private func getting(_ name: BlobName) -> S3Connection.Request { .init(method: "GET", key: key(name)) }

  private func object(
    _ name: BlobName, _ response: HTTPResponse, bytesMax: Int
  ) throws(HeadraceError) -> [UInt8]? {
    guard try isFound(response, name) else { return nil }
    guard response.body.count <= bytesMax else {
      throw .blobTooLarge("\(place)/\(name)", sizeBytes: response.body.count, bytesMax: bytesMax)
    }
    return response.body
  }

  package func read(_ name: BlobName, range: Range<Int>) throws(HeadraceError) -> [UInt8]? {
    guard !range.isEmpty else { return try entry(name).map { _ in [] } }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    while bytes.count < range.count {
      let start = range.lowerBound + bytes.count
      let end = min(range.upperBound, start + S3Connection.responseBytesMax)
      let response = try connection.send(
        .init(method: "GET", key: key(name), headers: [("range", "bytes=\(start)-\(end - 1)")]))
      if response.status == 416 { throw .blobTruncated("\(place)/\(name)", sizeBytes: start, range: range) }
      guard try isFound(response, name) else { return nil }
      guard response.status == 206, response.body.count == end - start else {
        throw .blobTruncated("\(place)/\(name)", sizeBytes: start + response.body.count, range: range)
      }
      bytes += response.body
    }
    return bytes
  }

  package func entry(_ name: BlobName) throws(HeadraceError) -> BlobEntry? {
    let response = try connection.send(.init(method: "HEAD", key: key(name)))
    guard try isFound(response, name) else { return nil }
    guard let size = response.header("content-length").flatMap({ Int($0) }), size >= 0 else {
      throw S3Failure(status: response.status, body: []).error("\(place)/\(name)", isChange: false)
    }
    return BlobEntry(
      name: name, sizeBytes: size,
      modifiedMilliseconds: response.header("last-modified").flatMap(HTTPDate.milliseconds) ?? 0)
  }

  package func putIfAbsent(_ name: BlobName, _ bytes: [UInt8]) throws(HeadraceError) -> Bool {
    let response = try connection.send(
      .init(method: "PUT", key: key(name), headers: [("if-none-match", "*")], body: bytes, isRepeatable: false))
    switch response.status {
    case 200...299: return true
    case 412: return false
    case 409:
      throw HeadraceError(
        .external, "S3_CONFLICT", "another write of this object is under way", retry: .sameCall,
        place: "\(place)/\(name)", remedy: "try again")
    default: throw S3Failure(status: response.status, body: response.body).error("\(place)/\(name)", isChange: true)
    }
  }

  package func put(_ name: BlobName, _ bytes: [UInt8]) throws(HeadraceError) {
    try expectSuccess(try connection.send(.init(method: "PUT", key: key(name), body: bytes)), name)
  }

  package func delete(_ names: [BlobName]) throws(HeadraceError) {
    let responses = try connection.send(names.map { .init(method: "DELETE", key: key($0)) })
    for (name, response) in zip(names, responses) where response.status != 404 { try expectSuccess(response, name) }
  }

  package func writer(_ name: BlobName) throws(HeadraceError) -> any BlobWriter {
    S3BlobWriter(store: self, connection: connection, name: name)
  }

  func key(_ name: BlobName) -> String {
    configuration.prefix.isEmpty ? name.text : "\(configuration.prefix)/\(name.text)"
  }

  func expectSuccess(_ response: HTTPResponse, _ name: BlobName) throws(HeadraceError) {
    guard 200...299 ~= response.status else {
      throw S3Failure(status: response.status, body: response.body).error("\(place)/\(name)", isChange: true)
    }
  }

  private func isFound(_ response: HTTPResponse, _ name: BlobName) throws(HeadraceError) -> Bool {
    if 200...299 ~= response.status { return true }
    let failure = S3Failure(status: response.status, body: response.body)
    if response.status == 404 && failure.code != "NoSuchBucket" { return false }
    throw failure.error("\(place)/\(name)", isChange: false)
  }
}

extension S3BlobStore {
  package func list(
    in folder: BlobName?, after: BlobName?, countMax: Int
  ) throws(HeadraceError) -> [BlobEntry] {
    let start = configuration.prefix.isEmpty ? "" : "\(configuration.prefix)/"
    let prefix = start + (folder.map { "\($0.text)/" } ?? "")
    var found: [BlobEntry] = []
    var last = after.map { start + $0.text }
    while found.count < countMax {
      var query = [("list-type", "2"), ("max-keys", String(min(1_000, countMax - found.count)))]
      if !prefix.isEmpty { query.append(("prefix", prefix)) }
      if let last { query.append(("start-after", last)) }
      let response = try connection.send(.init(method: "GET", query: query))
      guard 200...299 ~= response.status else {
        throw S3Failure(status: response.status, body: response.body).error(address(prefix), isChange: false)
      }
      guard let page = S3ListingPage(response.body, start: start) else { throw unreadable(prefix) }
      found += page.entries
      // A page that leads back would be asked for without end.
      guard let newest = page.lastKey, last.map({ $0.utf8.lexicographicallyPrecedes(newest.utf8) }) ?? true else {
        break
      }
      last = newest
    }
    return found
  }

  private func unreadable(_ prefix: String) -> HeadraceError {
    HeadraceError(
      .external, "S3_ANSWER_UNREADABLE", "the listing is no answer of S3", place: address(prefix),
      remedy: "check that the endpoint is an S3 service")
  }

  /// - Parameter prefix: of keys, that of the store included.
  private func address(_ prefix: String) -> String { "s3://\(configuration.bucket)/\(prefix)" }
}
