internal import Codecs
internal import Columns
internal import Core

/// A frame of a segment: the length and the checksum of what it holds, then that.
enum SpoolFrame {
  /// What every segment begins with.
  static let magic: [UInt8] = Array("HRSPOOL2".utf8)
  static let headerBytes = 8
  /// A block is a few thousand rows; more than this is no block.
  static let blockBytesMax = 1 << 30

  static func frame(_ content: [UInt8]) -> [UInt8] {
    var frame = ByteWriter()
    frame.number(UInt32(clamping: content.count))
    frame.number(unsafe content.withUnsafeBytes { unsafe CRC32C.checksum($0) })
    frame.bytes += content
    return frame.bytes
  }
}

/// The first frame of a segment: the tables that its blocks are of, with their columns as they were when the rows were
/// made. A plan that gives a table other columns finds rows of the former ones.
struct SpoolHeader: Sendable, Equatable {
  struct Column: Sendable, Equatable {
    var name: String
    var type: ColumnType
  }

  struct Table: Sendable, Equatable {
    var name: String
    var columns: [Column]

    var types: [ColumnType] { columns.map(\.type) }
    func index(of name: String) -> Int? { columns.firstIndex { $0.name == name } }
  }

  /// In the order in which blocks count them.
  var tables: [Table]

  init(_ tables: [OfflineTable]) {
    self.tables = tables.map { table in
      Table(name: table.name, columns: table.fields.map { Column(name: $0.name, type: $0.type) })
    }
  }

  func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.number(UInt32(clamping: tables.count))
    for table in tables {
      writer.text(table.name)
      writer.number(UInt32(clamping: table.columns.count))
      for column in table.columns {
        writer.text(column.name)
        writer.number(column.type.code)
        if case .decimal(let scale) = column.type { writer.number(UInt8(clamping: scale)) }
      }
    }
    return writer.bytes
  }

  /// - Throws: BYTES_BROKEN.
  init(decoding bytes: RawSpan, place: String) throws(HeadraceError) {
    var reader = ByteReader(bytes, place: place)
    tables = []
    for _ in 0..<(try reader.count(ofSize: 8)) {
      var table = Table(name: try reader.text(), columns: [])
      for _ in 0..<(try reader.count(ofSize: 5)) {
        let name = try reader.text()
        let code = try reader.number(UInt8.self)
        let scale = code == ColumnType.decimal(scale: 0).code ? Int(try reader.number(UInt8.self)) : 0
        guard let type = ColumnType(code: code, scale: scale) else { throw reader.broken("a column of type \(code)") }
        table.columns.append(Column(name: name, type: type))
      }
      tables.append(table)
    }
    guard reader.isAtEnd else { throw reader.broken("there is more than the tables") }
  }
}

extension ColumnType {
  fileprivate var code: UInt8 {
    switch self {
    case .boolean: 1
    case .integer: 2
    case .double: 3
    case .string: 4
    case .bytes: 5
    case .timestamp: 6
    case .date: 7
    case .decimal: 8
    }
  }

  fileprivate init?(code: UInt8, scale: Int) {
    let types: [ColumnType] = [
      .boolean, .integer, .double, .string, .bytes, .timestamp, .date, .decimal(scale: scale),
    ]
    guard let type = types.first(where: { $0.code == code }) else { return nil }
    self = type
  }
}
