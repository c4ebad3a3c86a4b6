package import Columns
package import Core
internal import Delta

/// The archived events of one partition in the order of their offsets, each once, however the table's files lie:
/// compaction puts partitions into one file, and two topologies may have archived the same records.
///
/// Rows are gathered in windows of offsets that fit into memory: files are read in the order of their lowest offsets;
/// when a window is too large its upper half is left to the next one. Files that do not overlap are read once.
package final class ArchiveReader {
  package struct Request: Sendable {
    package var topic: String
    package var partition: Int32
    /// The contract's fields, in the order in which they are wanted.
    package var fields: [OfflineTable.Field]
    /// What each field says of events that were archived before the contract had it.
    package var defaults: [Value]
    package var offsets: Range<Int64>
    /// Only events whose time lies in this range of epoch milliseconds.
    package var times: (clock: ArchiveClock, milliseconds: Range<Int64>)?
    /// Of the rows that wait in memory.
    package var bufferBytesMax = 16 << 20

    package init(
      topic: String, partition: Int32, fields: [OfflineTable.Field], defaults: [Value], offsets: Range<Int64>
    ) {
      self.topic = topic
      self.partition = partition
      self.fields = fields
      self.defaults = defaults
      self.offsets = offsets
    }
  }

  /// Of each batch: the fields, then the columns of `EventArchive.decisions`.
  package let types: [ColumnType]
  private let archive: ArchiveSnapshot
  private let request: Request
  private let pieces: [ArchivePiece]
  /// The table's columns that are read, and for each wanted column where it is among these; nil: the table lacks it.
  private let columns: [String]
  private let origins: [Int?]
  /// Rows of the window, and their order.
  private var window: ColumnBatch
  private var order: [Int] = []
  private var next = 0
  /// Where the next window begins.
  private var position: Int64

  /// Rows of a batch.
  private static let batchRows = 1_024

  init(_ archive: ArchiveSnapshot, _ request: Request) throws(HeadraceError) {
    self.archive = archive
    self.request = request
    let wanted = request.fields + EventArchive.decisions
    types = wanted.map(\.type)
    window = ColumnBatch(types)
    position = request.offsets.lowerBound
    var (columns, origins): ([String], [Int?]) = ([], [])
    for field in wanted {
      guard let stored = archive.table.snapshot.metadata.schema.field(field.name) else {
        origins.append(nil)
        continue
      }
      guard stored.type.columnType == field.type else {
        throw HeadraceError(
          .user, "ARCHIVE_COLUMNS",
          "column \"\(field.name)\" of the archive is \(stored.type), and the contract says \(field.type)",
          place: archive.table.place, remedy: "read the log instead, or give the source another name")
      }
      origins.append(columns.count)
      columns.append(field.name)
    }
    self.columns = columns
    self.origins = origins
    let microseconds = request.times.map { range in
      (low: range.milliseconds.lowerBound.microseconds, high: range.milliseconds.upperBound.microseconds)
    }
    pieces = archive.pieces.filter { piece in
      guard piece.mayHold(request.partition) else { return false }
      guard let times = request.times, let microseconds else { return true }
      let found = piece.times(times.clock)
      return found.upperBound >= microseconds.low && found.lowerBound < microseconds.high
    }.sorted { $0.offsets.lowerBound < $1.offsets.lowerBound }
  }

  /// Offsets that the wanted events may have: a bound by the files' statistics; nil when there are none.
  package var offsetBounds: Range<Int64>? {
    let low = pieces.map(\.offsets.lowerBound).min() ?? .max
    let high = pieces.map(\.offsets.upperBound).max() ?? .min
    let first = max(low, request.offsets.lowerBound)
    let end = min(high == .max ? high : high + 1, request.offsets.upperBound)
    return first < end ? first..<end : nil
  }

  /// Replaces a batch's content by the next rows.
  ///
  /// - Returns: false at the end.
  package func next(into batch: inout ColumnBatch) throws(HeadraceError) -> Bool {
    while next >= order.count {
      guard position < request.offsets.upperBound, try fill() else { return false }
    }
    if batch.columns.map(\.type) != types { batch = ColumnBatch(types) }
    batch.removeAll()
    let end = min(next + Self.batchRows, order.count)
    for column in window.columns.indices {
      // Rows lie in their order nearly always: whole runs are copied at once.
      var start = next
      while start < end {
        var stop = start + 1
        while stop < end, order[stop] == order[stop - 1] + 1 { stop += 1 }
        batch.columns[column].append(order[start]..<order[stop - 1] + 1, of: window.columns[column])
        start = stop
      }
    }
    batch.rowCount = end - next
    next = end
    return true
  }

  /// Gathers the next window.
  ///
  /// - Returns: false when there is nothing more.
  private func fill() throws(HeadraceError) -> Bool {
    window.removeAll()
    var end = request.offsets.upperBound
    for piece in pieces where piece.offsets.upperBound >= position && piece.offsets.lowerBound < end {
      var batch = ColumnBatch([])
      let scan = try TableScan(archive.table, columns: columns, files: [piece.file])
      while try scan.next(into: &batch) {
        take(batch, position..<end)
        if window.sizeBytes > request.bufferBytesMax { end = halve() ?? end }
      }
    }
    sort()
    next = 0
    position = end
    return !order.isEmpty
  }

  private func take(_ batch: borrowing ColumnBatch, _ offsets: Range<Int64>) {
    var first: Int?
    for row in 0...batch.rowCount {
      if row < batch.rowCount, isWanted(batch, row, offsets) {
        first = first ?? row
      } else if let start = first {
        append(batch, start..<row)
        first = nil
      }
    }
  }

  private func append(_ batch: borrowing ColumnBatch, _ rows: Range<Int>) {
    for (column, origin) in origins.enumerated() {
      if let origin {
        window.columns[column].append(rows, of: batch.columns[origin])
      } else {
        let value = column < request.defaults.count ? request.defaults[column] : .null
        for _ in rows where !window.columns[column].append(value) { window.columns[column].appendNull() }
      }
    }
    window.rowCount += rows.count
  }

  /// The position of a decision's column in what is read.
  private func decision(_ index: Int) -> Int { origins[request.fields.count + index] ?? 0 }

  private func isWanted(_ batch: borrowing ColumnBatch, _ row: Int, _ offsets: Range<Int64>) -> Bool {
    let offset = batch.columns[decision(EventArchive.offsetDecision)].integers[row]
    guard offsets.contains(offset),
      batch.columns[decision(EventArchive.offsetDecision - 1)].integers[row] == Int64(request.partition)
    else { return false }
    if let times = request.times {
      let column = decision(times.clock == .event ? 0 : 1)
      guard batch.columns[column].isValid[row],
        times.milliseconds.contains(Self.milliseconds(batch.columns[column].integers[row]))
      else { return false }
    }
    let topic = decision(EventArchive.offsetDecision - 2)
    return batch.columns[topic].text.bytes[batch.columns[topic].text.range(row)].elementsEqual(request.topic.utf8)
  }

  /// Rounded down, as event times are.
  private static func milliseconds(_ microseconds: Int64) -> Int64 {
    let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000)
    return remainder < 0 ? quotient - 1 : quotient
  }

  private func sort() {
    let offsets = window.columns[request.fields.count + EventArchive.offsetDecision].integers
    order = Array(0..<window.rowCount)
    if zip(offsets, offsets.dropFirst()).allSatisfy(<) { return }
    order.sort { (offsets[$0], $0) < (offsets[$1], $1) }
    // What two topologies have archived is one record.
    var kept = 0
    for index in order where kept == 0 || offsets[order[kept - 1]] != offsets[index] {
      order[kept] = index
      kept += 1
    }
    order.removeLast(order.count - kept)
  }

  /// Keeps the lower half of the window.
  ///
  /// - Returns: where it ends now; nil when it is one record.
  private func halve() -> Int64? {
    sort()
    guard order.count > 1 else { return nil }
    let offsets = window.columns[request.fields.count + EventArchive.offsetDecision].integers
    let end = offsets[order[order.count / 2]]
    var kept = ColumnBatch(types)
    for row in order[..<(order.count / 2)] {
      for column in types.indices { kept.columns[column].append(row, of: window.columns[column]) }
    }
    kept.rowCount = order.count / 2
    window = kept
    return end
  }
}

extension Int64 {
  /// Of milliseconds; the ends of time stay the ends.
  fileprivate var microseconds: Int64 {
    let (product, overflow) = multipliedReportingOverflow(by: 1_000)
    return overflow ? (self < 0 ? .min : .max) : product
  }
}

extension ColumnBatch {
  /// About how much memory the rows take.
  fileprivate var sizeBytes: Int {
    columns.reduce(0) { sum, column in
      let width =
        switch column.type.storage {
        case .integers, .doubles, .text: 9
        case .decimals: 17
        }
      return sum + column.count * width + column.text.bytes.count
    }
  }
}
