internal import Codecs
internal import Columns
internal import Core

/// Reads the values of one leaf, page by page, through the row groups that its reader chose.
final class LeafReader {
  let leaf: ParquetLeaf
  private let pages: PageReader
  private let conversion: ValueConversion
  /// Values as they are stored, where they must be converted.
  private var stored: Column
  private let levels = PageBuffer(capacity: LeafReader.segmentRows)

  /// Levels are decoded so many at a time.
  static let segmentRows = 8_192

  init(_ leaf: ParquetLeaf, pages: PageReader) {
    self.leaf = leaf
    self.pages = pages
    conversion = ValueConversion(leaf)
    stored = Column(leaf.storedColumnType)
  }

  private var levelRoom: UnsafeMutablePointer<UInt8> { unsafe levels.base.assumingMemoryBound(to: UInt8.self) }

  /// Appends up to `maximumRows` rows; fewer when their text reaches `maximumTextBytes`, or at the end.
  ///
  /// - Precondition: the leaf is not repeated.
  /// - Returns: how many; 0 at the end.
  func read(_ maximumRows: Int, maximumTextBytes: Int, into column: inout Column) throws(HeadraceError) -> Int {
    let textLimit = column.text.bytes.count + maximumTextBytes
    var done = 0
    while done < maximumRows {
      guard try pages.hasValues() else { break }
      do throws(ParquetFault) {
        let rows = try appendSegment(maximumRows - done, maximumTextBytes: maximumTextBytes, to: &column)
        pages.valuesLeft -= rows
        done += rows
      } catch {
        throw pages.error(error)
      }
      if column.text.bytes.count >= textLimit { break }
    }
    return done
  }

  /// - Returns: how many rows were appended, at least one.
  private func appendSegment(
    _ maximumRows: Int, maximumTextBytes: Int, to column: inout Column
  ) throws(ParquetFault) -> Int {
    var limit = min(maximumRows, pages.valuesLeft)
    let largest = pages.values?.largestValueBytes ?? 0
    if largest > 0 { limit = min(limit, max(1, maximumTextBytes / largest)) }
    let maximum = UInt8(truncatingIfNeeded: leaf.maximumDefinitionLevel)
    if maximum > 0 { limit = min(limit, pages.definitions.isRun ? limit : Self.segmentRows) }
    let room = unsafe levelRoom
    // A run may be longer than the buffer; mixed levels never are.
    switch try unsafe pages.definitions.next(limit, into: room) {
    case .same(let level, let count):
      if level == maximum {
        try append(count, to: &column)
      } else {
        column.appendNulls(count)
      }
      return count
    case .mixed(let count):
      var present = 0
      for index in 0..<count {
        let flag: UInt8 = unsafe room[index] == maximum ? 1 : 0
        unsafe room[index] = flag
        present &+= Int(flag)
      }
      try append(present, to: &column)
      unsafe column.spread(UnsafeBufferPointer(start: room, count: count))
      return count
    }
  }

  /// Reads up to `maximum` values or nulls with their levels.
  ///
  /// - Parameter values: gets those that are not null.
  /// - Returns: how many; 0 at the end.
  func readEntries(
    _ maximum: Int, repetitions: inout [UInt8], definitions: inout [UInt8], values: inout Column
  ) throws(HeadraceError) -> Int {
    guard try pages.hasValues() else { return 0 }
    do throws(ParquetFault) {
      var limit = min(maximum, pages.valuesLeft, Self.segmentRows)
      let largest = pages.values?.largestValueBytes ?? 0
      if largest > 0 { limit = min(limit, max(1, pages.configuration.maximumBatchBytes / largest)) }
      let first = definitions.count
      try append(limit, of: &pages.repetitions, to: &repetitions)
      try append(limit, of: &pages.definitions, to: &definitions)
      let present = definitions[first...].count { Int($0) == leaf.maximumDefinitionLevel }
      try append(present, to: &values)
      pages.valuesLeft -= limit
      return limit
    } catch {
      throw pages.error(error)
    }
  }

  private func append(
    _ count: Int, of decoder: inout LevelDecoder, to levels: inout [UInt8]
  ) throws(ParquetFault) {
    let room = unsafe levelRoom
    var left = count
    while left > 0 {
      switch try unsafe decoder.next(left, into: room) {
      case .same(let level, let count):
        levels.append(contentsOf: repeatElement(level, count: count))
        left -= count
      case .mixed(let count):
        unsafe levels.append(contentsOf: UnsafeBufferPointer(start: room, count: count))
        left -= count
      }
    }
  }

  private func append(_ count: Int, to column: inout Column) throws(ParquetFault) {
    guard count > 0 else { return }
    if pages.valuesAreConverted || conversion == .none {
      try pages.appendValues(count, to: &column)
    } else {
      stored.removeAll()
      try pages.appendValues(count, to: &stored)
      try conversion.append(stored, to: &column)
    }
  }
}
