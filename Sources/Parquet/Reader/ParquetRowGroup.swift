internal import Core

/// Some rows of a file, column by column.
package struct ParquetRowGroup: Sendable {
  package let index: Int
  package let rowCount: Int
  /// A chunk for each leaf of the schema.
  package let columns: [ParquetColumnChunk]

  init(
    _ metadata: RowGroupMetadata, index: Int, schema: ParquetSchema, dataEnd: Int, hasColumnOrders: Bool
  ) throws(ParquetFault) {
    self.index = index
    rowCount = metadata.rowCount
    guard metadata.columns.count == schema.leaves.count else {
      throw .corrupt("row group \(index) has \(metadata.columns.count) of \(schema.leaves.count) columns")
    }
    var columns: [ParquetColumnChunk] = []
    columns.reserveCapacity(schema.leaves.count)
    for leaf in schema.leaves {
      let stored = metadata.columns[leaf.index]
      do throws(ParquetFault) {
        let chunk = try ParquetColumnChunk(stored, leaf: leaf, dataEnd: dataEnd, hasColumnOrders: hasColumnOrders)
        guard leaf.maximumRepetitionLevel > 0 || chunk.valueCount == rowCount else {
          throw .corrupt("\(chunk.valueCount) values in \(rowCount) rows")
        }
        columns.append(chunk)
      } catch {
        throw ParquetFault(kind: error.kind, message: "row group \(index), column \(leaf.name): \(error.message)")
      }
    }
    self.columns = columns
  }

  /// What the file says about a column's values here.
  package func statistics(_ leaf: ParquetLeaf) -> ParquetStatistics? { columns[leaf.index].statistics }
}

/// The values of one column in one row group.
package struct ParquetColumnChunk: Sendable {
  package let leaf: ParquetLeaf
  /// Values and nulls.
  package let valueCount: Int
  /// Where its pages lie in the file.
  package let byteRange: Range<Int>
  /// All pages with their headers, before compression.
  package let uncompressedBytes: Int
  package let bloomFilterOffset: Int?
  package let bloomFilterBytes: Int?
  package let columnIndexRange: Range<Int>?
  package let offsetIndexRange: Range<Int>?
  private let codecCode: Int32
  private let isEncrypted: Bool
  private let storedStatistics: StoredStatistics?
  private let hasColumnOrders: Bool

  init(
    _ metadata: ColumnMetadata, leaf: ParquetLeaf, dataEnd: Int, hasColumnOrders: Bool
  ) throws(ParquetFault) {
    self.leaf = leaf
    self.hasColumnOrders = hasColumnOrders
    isEncrypted = metadata.isEncrypted
    codecCode = metadata.codec
    valueCount = metadata.valueCount
    uncompressedBytes = metadata.uncompressedBytes
    storedStatistics = metadata.statistics
    bloomFilterOffset = metadata.bloomFilterOffset
    bloomFilterBytes = metadata.bloomFilterBytes
    columnIndexRange = Self.range(metadata.columnIndexOffset, metadata.columnIndexBytes, end: dataEnd)
    offsetIndexRange = Self.range(metadata.offsetIndexOffset, metadata.offsetIndexBytes, end: dataEnd)
    guard metadata.filePath == nil else { throw .unsupported("its values lie in another file") }
    guard metadata.hasMetadata || metadata.isEncrypted else { throw .corrupt("no metadata") }
    guard !metadata.isEncrypted else {
      byteRange = 0..<0
      return
    }
    // Where there are no pages, writers put anything for their place.
    guard valueCount > 0 else {
      byteRange = 0..<0
      return
    }
    guard metadata.type == leaf.physicalType.rawValue, metadata.path == leaf.path else {
      throw .corrupt("the chunk of another column (\(metadata.path.joined(separator: ".")), type \(metadata.type))")
    }
    var start = metadata.dataPageOffset
    if let dictionary = metadata.dictionaryPageOffset, dictionary > 0 { start = min(start, dictionary) }
    let (end, overflows) = start.addingReportingOverflow(metadata.compressedBytes)
    guard !overflows, start >= ParquetLimits.magic.count, end <= dataEnd else {
      throw .corrupt("\(metadata.compressedBytes) bytes at byte \(start), where the data end at \(dataEnd)")
    }
    byteRange = start..<end
  }

  private static func range(_ offset: Int?, _ count: Int?, end: Int) -> Range<Int>? {
    guard let offset, let count, count > 0, offset <= end, count <= end - offset else { return nil }
    return offset..<offset + count
  }

  /// The codec of its pages; nil for one that Headrace does not read.
  package var codec: ParquetCodec? { ParquetCodec(rawValue: codecCode) }

  /// - Throws: `PARQUET_UNSUPPORTED` with the name of what cannot be read.
  func readableCodec(at place: String) throws(HeadraceError) -> ParquetCodec {
    guard !isEncrypted else { throw ParquetFault.unsupported("the column is encrypted").error(at: place) }
    guard let codec else {
      throw ParquetFault.unsupported("codec \(ParquetCodec.name(codecCode))").error(at: place)
    }
    return codec
  }

  /// Bounds and counts of its values; nil where the file says nothing.
  package var statistics: ParquetStatistics? {
    storedStatistics.map { ParquetStatistics($0, leaf, hasColumnOrder: hasColumnOrders) }
  }
}
