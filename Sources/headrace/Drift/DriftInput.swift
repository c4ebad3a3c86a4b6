internal import Columns
internal import Core
internal import Delta
internal import Glibc
internal import OfflineStore
internal import Storage

/// Rows that a command line names: a Parquet file, a folder of them, or a Delta table with or without a version.
enum DriftInput {
  /// - Parameters:
  ///   - name: `file.parquet`, a folder, `s3://BUCKET/TABLE`, or a table below `tables`; of tables also
  ///     `NAME@VERSION` and `NAME@TIME`.
  ///   - tables: where tables without a path are; nil when nobody says.
  static func open(_ name: String, tables: (any BlobStore)?) throws(HeadraceError) -> any ColumnSource {
    if kind(name) == S_IFREG { return try ParquetColumns(path: name) }
    let (path, moment) = try Self.moment(name)
    switch kind(path) {
    case S_IFREG: return try ParquetColumns(path: path)
    case S_IFDIR where kind("\(path)/_delta_log") != S_IFDIR:
      return try ParquetFolder(path)
    case S_IFDIR: return try table(at: path, moment)
    default: break
    }
    if path.hasPrefix("s3://") { return try table(at: path, moment) }
    guard !path.hasSuffix(".parquet"), let tables else {
      throw HeadraceError(
        .user, "DRIFT_INPUT", "there is no such file and no such table", place: path,
        remedy: path.hasSuffix(".parquet")
          ? "name a Parquet file or the folder of a Delta table"
          : "name a file or a folder, or give --data DIR or --tables PLACE with the name of a table")
    }
    return try TableColumns(tables, name: path, at: moment)
  }

  private static func table(at path: String, _ moment: DeltaTable.Moment) throws(HeadraceError) -> any ColumnSource {
    let trimmed = String(path.reversed().drop { $0 == "/" }.reversed())
    let parts = trimmed.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let folder = parts.dropLast().joined(separator: "/")
    let store = try TableLocation.store(
      folder.isEmpty ? (trimmed.hasPrefix("/") ? "/" : ".") : folder, dataDirectory: "")
    // It is only read from.
    defer { (store as? DiskBlobStore)?.removeTemporaryFolder() }
    return try TableColumns(store, name: parts.last ?? trimmed, at: moment)
  }

  /// `NAME@17`, `NAME@2026-01-31T12:00:00Z`.
  private static func moment(_ name: String) throws(HeadraceError) -> (String, DeltaTable.Moment) {
    guard let at = name.lastIndex(of: "@") else { return (name, .newest) }
    let (path, text) = (String(name[..<at]), String(name[name.index(after: at)...]))
    if let milliseconds = RFC3339.milliseconds(text) { return (path, .timestamp(milliseconds: milliseconds)) }
    guard let number = Int64(text), number >= 0 else {
      throw HeadraceError(
        .user, "DRIFT_INPUT", "`@\(text)` is neither a version nor a time", place: name,
        remedy: "write TABLE@17, TABLE@2026-01-31 or TABLE@2026-01-31T12:00:00Z")
    }
    // No table has that many versions: epoch milliseconds.
    return (path, number < 1_000_000_000_000 ? .version(number) : .timestamp(milliseconds: number))
  }

  /// `S_IFREG`, `S_IFDIR`; 0 where there is nothing.
  private static func kind(_ path: String) -> mode_t {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? status.st_mode & S_IFMT : 0
  }
}

/// The Parquet files of a folder, in the order of their names: what `dataset build --out` writes.
private struct ParquetFolder: ColumnSource {
  let place: String
  let fields: [(name: String, type: ColumnType)]
  private let files: [ParquetColumns]
  private let pieces: [(file: Int, piece: Int)]

  init(_ path: String) throws(HeadraceError) {
    place = path
    var files: [ParquetColumns] = []
    for name in try Self.names(path) { files.append(try ParquetColumns(path: "\(path)/\(name)")) }
    guard let first = files.first else {
      throw HeadraceError(
        .user, "DRIFT_INPUT", "the folder has neither a Delta log nor Parquet files", place: path,
        remedy: "name a Parquet file, a Delta table, or a folder of Parquet files")
    }
    for file in files where !file.fields.elementsEqual(first.fields, by: ==) {
      throw HeadraceError(
        .user, "DRIFT_INPUT", "the columns differ from those of \(first.place)", place: file.place,
        remedy: "name one of the files")
    }
    self.files = files
    fields = first.fields
    pieces = files.indices.flatMap { file in (0..<files[file].pieceCount).map { (file, $0) } }
  }

  var pieceCount: Int { pieces.count }

  func forEachBatch(
    of piece: Int, columns: [String], _ body: (borrowing ColumnBatch) throws(HeadraceError) -> Void
  ) throws(HeadraceError) {
    try files[pieces[piece].file].forEachBatch(of: pieces[piece].piece, columns: columns, body)
  }

  private static func names(_ path: String) throws(HeadraceError) -> [String] {
    guard let folder = unsafe opendir(path) else { throw .file(path, "cannot be read") }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(".parquet") { names.append(name) }
    }
    return names.sorted()
  }
}
