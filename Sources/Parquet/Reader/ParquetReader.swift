internal import Codecs
package import Columns
package import Core

/// Reads columns of a file batch by batch. One thread; memory is that of a batch, a page and a dictionary for each
/// column, and a window of the file for each column.
///
/// Text is handed over as it is stored: what a foreign writer declared to be UTF-8 and is not stays as it is.
package final class ParquetReader {
  /// Of the batch's columns.
  package let types: [ColumnType]
  private let configuration: ParquetReaderConfiguration
  private let leaves: [LeafReader]
  /// Rows that a column had read when another one reached the limit of text.
  private var carried: [Column]
  /// Without columns there are still rows to count.
  private var uncountedRows: Int
  private var hasFailed = false

  /// - Parameters:
  ///   - columns: dotted paths of leaves, in the order of the batch's columns; nil: all. A leaf inside of a group is
  ///     null where the group is; leaves of lists and maps are read by `ParquetRowReader`.
  ///   - rowGroups: which, in which order; nil: all.
  package init(
    _ file: ParquetFile, source: any ParquetSource, columns: [String]? = nil, rowGroups: [Int]? = nil,
    configuration: ParquetReaderConfiguration = .init()
  ) throws(HeadraceError) {
    let chosen = rowGroups ?? Array(file.rowGroups.indices)
    let decompressor = BlockDecompressor()
    var leaves: [LeafReader] = []
    var types: [ColumnType] = []
    for leaf in try Self.leaves(columns, of: file) {
      let (type, pages) = try file.pages(
        of: leaf, source: source, rowGroups: chosen, decompressor: decompressor, configuration: configuration)
      types.append(type)
      leaves.append(LeafReader(leaf, pages: pages))
    }
    self.types = types
    self.leaves = leaves
    self.configuration = configuration
    carried = types.map { Column($0) }
    uncountedRows = leaves.isEmpty ? chosen.reduce(0) { $0 + file.rowGroups[$1].rowCount } : 0
  }

  private static func leaves(_ names: [String]?, of file: ParquetFile) throws(HeadraceError) -> [ParquetLeaf] {
    guard let names else {
      if let nested = file.schema.leaves.first(where: { $0.maximumRepetitionLevel > 0 }) {
        throw repeated(nested, file)
      }
      return file.schema.leaves
    }
    var leaves: [ParquetLeaf] = []
    for name in names {
      guard let leaf = file.schema.leaf(name) else { throw file.missing(name, file.schema.leaves.map(\.name)) }
      guard leaf.maximumRepetitionLevel == 0 else { throw repeated(leaf, file) }
      leaves.append(leaf)
    }
    return leaves
  }

  private static func repeated(_ leaf: ParquetLeaf, _ file: ParquetFile) -> HeadraceError {
    HeadraceError(
      .user, "PARQUET_SCHEMA", "a column of many values in a row", place: "\(file.place): column \(leaf.name)",
      remedy: "read it by rows, or name the columns to read")
  }

  /// Replaces the batch's content by the next rows.
  ///
  /// - Returns: false at the end, with an empty batch.
  /// - Throws: for damaged or unknown content; the reader is at its end then, and the batch is empty.
  package func next(into batch: inout ColumnBatch) throws(HeadraceError) -> Bool {
    batch.removeAll()
    if batch.columns.map(\.type) != types { batch = ColumnBatch(types) }
    guard !hasFailed else { return false }
    do throws(HeadraceError) {
      try fill(&batch)
    } catch {
      hasFailed = true
      batch.removeAll()
      throw error
    }
    return batch.rowCount > 0
  }

  private func fill(_ batch: inout ColumnBatch) throws(HeadraceError) {
    guard !leaves.isEmpty else {
      batch.rowCount = min(uncountedRows, configuration.batchRows)
      uncountedRows -= batch.rowCount
      return
    }
    var rows = max(configuration.batchRows, 1)
    for (index, leaf) in leaves.enumerated() {
      let waiting = carried[index].count
      if waiting > 0 {
        batch.columns[index].append(0..<waiting, of: carried[index])
        carried[index].removeAll()
      }
      let read =
        try waiting < rows
        ? leaf.read(rows - waiting, maximumTextBytes: configuration.maximumBatchBytes, into: &batch.columns[index]) : 0
      rows = min(rows, waiting + read)
    }
    for index in leaves.indices where batch.columns[index].count > rows {
      carried[index].append(rows..<batch.columns[index].count, of: batch.columns[index])
      batch.columns[index].truncate(to: rows)
    }
    batch.rowCount = rows
  }
}

@available(*, unavailable, message: "its buffers belong to one thread: keep one per thread")
extension ParquetReader: Sendable {}

extension ParquetFile {
  /// What reads a leaf's pages, and the type of its values.
  func pages(
    of leaf: ParquetLeaf, source: any ParquetSource, rowGroups: [Int], decompressor: BlockDecompressor,
    configuration: ParquetReaderConfiguration
  ) throws(HeadraceError) -> (ColumnType, PageReader) {
    guard let type = leaf.columnType else {
      throw ParquetFault.unsupported(leaf.refusedTypeName).error(at: "\(place): column \(leaf.name)")
    }
    let pages = PageReader(
      self, leaf, source: source, rowGroups: rowGroups, decompressor: decompressor, configuration: configuration)
    return (type, pages)
  }

  func missing(_ name: String, _ known: [String]) -> HeadraceError {
    HeadraceError(
      .user, "PARQUET_SCHEMA", "no column \(name)", place: place,
      remedy: "it has \(known.prefix(20).joined(separator: ", "))")
  }
}
