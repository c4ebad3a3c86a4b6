internal import Columns
internal import Core

/// Which feature row each label found.
// Each label is set by one thread, and nobody reads before all have ended.
@safe final class Matches: @unchecked Sendable {
  let labelCount: Int
  /// Of each piece the number of its first feature row; and how many there are.
  let featureRows: [Int]
  private let rows: UnsafeMutablePointer<Int>

  init(labelCount: Int, featureRows: [Int]) {
    self.labelCount = labelCount
    self.featureRows = featureRows
    unsafe rows = .allocate(capacity: max(labelCount, 1))
    unsafe rows.initialize(repeating: -1, count: labelCount)
  }

  deinit { unsafe rows.deallocate() }

  func set(_ label: Int, _ row: Int) {
    precondition(label < labelCount)
    unsafe rows[label] = row
  }

  subscript(label: Int) -> Int {
    precondition(label < labelCount)
    return unsafe rows[label]
  }
}

/// The rows that labels found, in the order of the features: columns are read once, front to back.
struct MatchOrder: Sendable {
  /// By piece: rows of it, ascending; a row that several labels found comes several times.
  private var rows: [[Int]] = []
  /// Of each label the place of its row among all of them; -1: none.
  private var places: [Int]
  let matchCount: Int

  init(_ matches: Matches, threadCount: Int) {
    let firsts = matches.featureRows
    let total = firsts[firsts.count - 1]
    // Labels of each row, by counting: as many as there are rows is less work than to sort.
    var starts = [Int32](repeating: 0, count: total + 1)
    for label in 0..<matches.labelCount where matches[label] >= 0 { starts[matches[label] + 1] += 1 }
    for row in 0..<total { starts[row + 1] += starts[row] }
    matchCount = Int(starts[total])
    for piece in 0..<firsts.count - 1 {
      var found: [Int] = []
      for row in firsts[piece]..<firsts[piece + 1] {
        for _ in starts[row]..<starts[row + 1] { found.append(row - firsts[piece]) }
      }
      rows.append(found)
    }
    places = [Int](repeating: -1, count: matches.labelCount)
    for label in 0..<matches.labelCount where matches[label] >= 0 {
      places[label] = Int(starts[matches[label]])
      starts[matches[label]] += 1
    }
  }

  /// A column with a value for each label.
  func gather(_ name: String, of source: any ColumnSource, type: ColumnType) throws(HeadraceError) -> Column {
    var found = Column(type)
    found.reserveCapacity(matchCount)
    for (piece, wanted) in rows.enumerated() where !wanted.isEmpty {
      var (first, next) = (0, 0)
      var chosen: [Int] = []
      try source.forEachBatch(of: piece, columns: [name]) { (batch) throws(HeadraceError) in
        chosen.removeAll(keepingCapacity: true)
        while next < wanted.count, wanted[next] < first + batch.rowCount {
          chosen.append(wanted[next] - first)
          next += 1
        }
        found.append(rows: chosen, of: batch.columns[0])
        first += batch.rowCount
      }
    }
    var column = Column(type)
    column.append(rows: places, of: found)
    return column
  }
}
