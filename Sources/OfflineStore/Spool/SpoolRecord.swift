package import Core

/// What a checkpoint says of the spool: the segments that hold all rows between the tables and the state (D ..< S).
package struct SpoolRecord: Sendable, Equatable {
  package struct Segment: Sendable, Equatable {
    /// Its file's number; they rise.
    package var number: UInt64
    /// What the file holds; anything behind it was never part of a checkpoint.
    package var sizeBytes: Int64
    /// In the order in which blocks count them.
    package var tables: [Rows]
  }

  /// Rows of one table in one segment.
  package struct Rows: Sendable, Equatable {
    package var table: String
    /// Offsets of the table's input that the segment covers, whether they gave rows or not.
    package var offsets: Range<Int64>
    package var rowCount: Int64
    /// Of the input where the offsets end; nil where nothing valid came yet, or nobody said.
    package var watermarkMilliseconds: Int64?
  }

  package var segments: [Segment] = []

  package init() {}
}

extension SpoolRecord {
  package func write(to writer: inout ByteWriter) {
    writer.number(UInt32(clamping: segments.count))
    for segment in segments {
      writer.number(segment.number)
      writer.number(segment.sizeBytes)
      writer.number(UInt32(clamping: segment.tables.count))
      for rows in segment.tables {
        writer.text(rows.table)
        writer.number(rows.offsets.lowerBound)
        writer.number(rows.offsets.upperBound)
        writer.number(rows.rowCount)
        writer.number(rows.watermarkMilliseconds ?? .min)
      }
    }
  }

  /// - Parameter hasWatermarks: whether a program wrote it that knew of them.
  @_lifetime(reader: copy reader)
  package init(from reader: inout ByteReader, hasWatermarks: Bool) throws(HeadraceError) {
    for _ in 0..<(try reader.count(ofSize: 20)) {
      var segment = Segment(number: try reader.number(), sizeBytes: try reader.number(), tables: [])
      for _ in 0..<(try reader.count(ofSize: 28)) {
        let table = try reader.text()
        let (first, next, rowCount) = (
          try reader.number(Int64.self), try reader.number(Int64.self), try reader.number(Int64.self)
        )
        guard first <= next, rowCount >= 0 else { throw reader.broken("offsets \(first) to \(next) of \(table)") }
        let watermark = hasWatermarks ? try reader.number(Int64.self) : .min
        segment.tables.append(
          Rows(
            table: table, offsets: first..<next, rowCount: rowCount,
            watermarkMilliseconds: watermark == .min ? nil : watermark))
      }
      segments.append(segment)
    }
  }
}
