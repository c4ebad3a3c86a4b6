package import Core

/// A file's footer: its schema, and where everything lies.
///
/// Layout: `"PAR1"`, the column chunks, the indexes, the metadata, their length in 4 bytes, `"PAR1"`.
package struct ParquetFile: Sendable {
  /// The file's name, for errors.
  package let place: String
  package let schema: ParquetSchema
  package let rowCount: Int
  package let rowGroups: [ParquetRowGroup]
  /// Of keys that come twice, the last.
  package let keyValueMetadata: [String: String]
  package let createdBy: String?

  /// - Parameter place: the file's name, for errors.
  /// - Throws: `PARQUET_CORRUPT` for what is no whole Parquet file, `PARQUET_UNSUPPORTED` for an encrypted footer.
  package init(_ source: some ParquetSource, place: String) throws(HeadraceError) {
    let size = source.sizeBytes
    guard size >= ParquetLimits.magic.count + ParquetLimits.tailBytes else {
      throw Self.notParquet("\(size) bytes are no Parquet file", place)
    }
    let tail = try source.bytes(in: size - ParquetLimits.tailBytes..<size)
    let footerBytes = try Self.footerBytes(lastEightBytes: tail, fileSizeBytes: size, place: place)
    let footer = size - footerBytes..<size - ParquetLimits.tailBytes
    let bytes = try source.bytes(in: footer)
    do throws(ParquetFault) {
      var reader = unsafe CompactReader(bytes.span.bytes)
      try self.init(try FileMetadata(&reader), dataEnd: footer.lowerBound, place: place)
    } catch {
      throw error.error(at: "\(place): metadata at byte \(footer.lowerBound)")
    }
  }

  /// How many bytes at the file's end the footer takes: the metadata, their length and the magic. For those who fetch
  /// a file by ranges: the last 8 bytes, then the footer, then `byteRanges`.
  package static func footerBytes(
    lastEightBytes tail: [UInt8], fileSizeBytes: Int, place: String
  ) throws(HeadraceError) -> Int {
    guard tail.count == ParquetLimits.tailBytes else { throw notParquet("a tail of \(tail.count) bytes", place) }
    let magic = Array(tail[4...])
    guard magic != ParquetLimits.encryptedMagic else {
      throw ParquetFault.unsupported("the footer is encrypted (PARE)").error(at: place)
    }
    guard magic == ParquetLimits.magic else { throw notParquet("it ends with \(magic) and not with PAR1", place) }
    let length = tail[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= fileSizeBytes - ParquetLimits.magic.count - ParquetLimits.tailBytes else {
      throw notParquet("metadata of \(length) bytes in a file of \(fileSizeBytes)", place)
    }
    guard length <= ParquetLimits.maximumFooterBytes else {
      throw ParquetFault.tooLarge("metadata of \(length) bytes").error(at: place)
    }
    return length + ParquetLimits.tailBytes
  }

  private static func notParquet(_ message: String, _ place: String) -> HeadraceError {
    ParquetFault.corrupt(message).error(at: place)
  }

  private init(_ metadata: FileMetadata, dataEnd: Int, place: String) throws(ParquetFault) {
    guard !metadata.isEncrypted else { throw .unsupported("the file is encrypted") }
    self.place = place
    schema = try ParquetSchema(stored: metadata.schema)
    rowCount = metadata.rowCount
    createdBy = metadata.createdBy
    keyValueMetadata = Dictionary(
      metadata.keyValues.map { ($0.key, $0.value ?? "") }, uniquingKeysWith: { _, last in last })
    var groups: [ParquetRowGroup] = []
    var rows = 0
    for (index, group) in metadata.rowGroups.enumerated() {
      groups.append(
        try ParquetRowGroup(
          group, index: index, schema: schema, dataEnd: dataEnd,
          hasColumnOrders: metadata.columnOrderCount == schema.leaves.count))
      let (sum, overflows) = rows.addingReportingOverflow(group.rowCount)
      guard !overflows else { throw .corrupt("row groups with more rows than can be counted") }
      rows = sum
    }
    guard rows == rowCount else { throw .corrupt("\(rowCount) rows of which the row groups have \(rows)") }
    rowGroups = groups
  }
}

extension ParquetFile {
  /// The row groups that `keep` wants to read; it looks at their statistics.
  package func rowGroups(where keep: (ParquetRowGroup) -> Bool) -> [Int] {
    rowGroups.indices.filter { keep(rowGroups[$0]) }
  }

  /// The bytes that readers of these columns ask for, in the order of the file; neighbours are one range.
  ///
  /// - Parameter leaves: indexes into `schema.leaves`.
  package func byteRanges(rowGroups chosen: [Int], leaves: [Int]) -> [Range<Int>] {
    let ranges = chosen.flatMap { group in leaves.map { rowGroups[group].columns[$0].byteRange } }
    var merged: [Range<Int>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
      if let last = merged.last, range.lowerBound <= last.upperBound {
        merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    return merged
  }
}
