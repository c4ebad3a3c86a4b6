internal import Core
internal import NIOCore
internal import OnlineStore
internal import Runtime

/// The body of `POST /api/rows`, by which one worker asks another one for rows of its tasks.
///
/// Binary, so that what comes back is what the owner read, bit for bit. Views and features go by name with their
/// fingerprints: two workers may run different plans for a moment.
struct RowsRequest: Equatable {
  struct View: Equatable {
    var name: String
    var fingerprint: String
    var features: [String]
  }

  struct Row: Equatable {
    /// A position in `views`.
    var view: Int
    var key: [UInt8]
  }

  var topology: String
  var time: ReadTime
  /// What has to be applied before anything is read.
  var offsets: [RecordOffset] = []
  var waitMilliseconds: Int64 = 0
  var views: [View] = []
  var rows: [Row] = []
}

extension RowsRequest {
  /// Changes with every change of the layout.
  static let magic: UInt32 = 0x4852_5251
  /// One request has no more: as many as a caller of ours may ask for at a time.
  static let rowsMax = 1_000
  /// Values of features that one answer has at most: what `PeerSplit` asks for at a time.
  static let valuesMax = 200_000
  static let viewsMax = 10_000
  static let offsetsMax = 10_000

  var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.number(Self.magic)
    writer.text(topology)
    switch time {
    case .now: writer.number(UInt8(0))
    case .asOf(let milliseconds):
      writer.number(UInt8(1))
      writer.number(milliseconds)
    case .latest: writer.number(UInt8(2))
    }
    writer.number(UInt32(clamping: offsets.count))
    for offset in offsets {
      writer.text(offset.topic)
      writer.number(offset.partition)
      writer.number(offset.offset)
    }
    writer.number(waitMilliseconds)
    writer.number(UInt32(clamping: views.count))
    for view in views {
      writer.text(view.name)
      writer.text(view.fingerprint)
      writer.number(UInt32(clamping: view.features.count))
      for feature in view.features { writer.text(feature) }
    }
    writer.number(UInt32(clamping: rows.count))
    for row in rows {
      writer.number(UInt32(clamping: row.view))
      unsafe writer.block(row.key.span.bytes)
    }
    return writer.bytes
  }

  /// Values of features that its answer has.
  var valueCount: Int { rows.reduce(0) { $0 + views[$1.view].features.count } }

  /// - Throws: 400 for bytes that are no such request, 422 for one that wants more than one answer may have.
  init(_ body: Span<UInt8>) throws(Problem) {
    do throws(HeadraceError) {
      try self.init(decoding: body)
    } catch {
      throw Problem(
        400, "INVALID_BODY", error.message,
        remedy: "this address is for workers among themselves; ask /get-online-features")
    }
    // A list of features counts for each of its rows: a body of a megabyte could ask for gigabytes.
    let valueCount = valueCount
    guard valueCount <= Self.valuesMax else {
      throw Problem(
        422, "TOO_MANY_VALUES", "\(valueCount) values, \(Self.valuesMax) may be asked for at once", place: "rows",
        remedy: "split the request")
    }
  }

  private init(decoding body: Span<UInt8>) throws(HeadraceError) {
    var reader = unsafe ByteReader(body.bytes, place: "the request for rows")
    guard try reader.number(UInt32.self) == Self.magic else { throw reader.broken("it is of another version") }
    topology = try reader.text()
    switch try reader.number(UInt8.self) {
    case 0: time = .now
    case 1: time = .asOf(try reader.number())
    case 2: time = .latest
    case let kind: throw reader.broken("a time of kind \(kind)")
    }
    let offsetCount = try reader.count(ofSize: 16)
    guard offsetCount <= Self.offsetsMax else { throw reader.broken("\(offsetCount) offsets") }
    for _ in 0..<offsetCount {
      offsets.append(
        RecordOffset(topic: try reader.text(), partition: try reader.number(), offset: try reader.number()))
    }
    waitMilliseconds = max(0, try reader.number(Int64.self))
    let viewCount = try reader.count(ofSize: 12)
    guard viewCount <= Self.viewsMax else { throw reader.broken("\(viewCount) views") }
    for _ in 0..<viewCount {
      var view = View(name: try reader.text(), fingerprint: try reader.text(), features: [])
      for _ in 0..<(try reader.count(ofSize: 4)) { view.features.append(try reader.text()) }
      views.append(view)
    }
    let rowCount = try reader.count(ofSize: 8)
    guard rowCount <= Self.rowsMax else { throw reader.broken("\(rowCount) rows, at most \(Self.rowsMax)") }
    for _ in 0..<rowCount {
      let view = Int(try reader.number(UInt32.self))
      guard view < viewCount else { throw reader.broken("view \(view) of \(viewCount)") }
      let key = try reader.block()
      guard key.count <= EntityKey.bytesMaximum else { throw reader.broken("a key of \(key.count) bytes") }
      rows.append(Row(view: view, key: key))
    }
    guard reader.isAtEnd else { throw reader.broken("bytes behind its end") }
  }
}
