package import Columns
package import Core

/// Brings feature rows that somebody else has made to labels: for each label the newest row of its key that is not
/// newer than the label, was known by then, and is not too old.
///
/// Only keys and times are decoded to find the rows; of all other columns only what was found is taken over. Keys are
/// spread over partitions, so that what a thread looks things up in stays in its cache.
package struct FeatureJoin: Sendable {
  package struct Configuration: Sendable {
    /// Columns that both sides have under the same names.
    package var keys: [String]
    package var labelTime: String
    package var featureTime: String
    /// When a feature row became known; nil: when it happened.
    package var knownTime: String?
    /// A row that is older than this is none; nil: any age.
    package var maximumAgeMilliseconds: Int64?
    /// nil: all but keys and times.
    package var columns: [String]?
    package var threadCount = ParallelWork.processorCount

    package init(keys: [String], labelTime: String, featureTime: String) {
      self.keys = keys
      self.labelTime = labelTime
      self.featureTime = featureTime
    }
  }

  private let configuration: Configuration

  package init(_ configuration: Configuration) { self.configuration = configuration }

  /// - Returns: the features' columns, with a row for each label, in the labels' order.
  /// - Throws: JOIN_COLUMN, JOIN_TOO_LARGE.
  package func columns(
    _ features: any ColumnSource, for labels: any ColumnSource
  ) throws(HeadraceError) -> (names: [String], columns: [Column], matchCount: Int) {
    let types = try check(labels, features)
    let matches = try matches(labels, features, types)
    let names = try columnNames(features)
    let order = MatchOrder(matches, threadCount: configuration.threadCount)
    let gathered = Slots<Column>(names.count)
    try ParallelWork.run(names.count, threadCount: configuration.threadCount) { (index) throws(HeadraceError) in
      gathered.set(index, try order.gather(names[index], of: features, type: try features.type(of: names[index])))
    }
    return (names, gathered.all, order.matchCount)
  }

  /// All columns of a source as they are.
  package func wholeColumns(
    _ source: any ColumnSource
  ) throws(HeadraceError) -> (names: [String], columns: [Column]) {
    let fields = source.fields.map { ($0.name, $0.type) }
    let read = Slots<Column>(fields.count)
    try ParallelWork.run(fields.count, threadCount: configuration.threadCount) { (index) throws(HeadraceError) in
      var column = Column(fields[index].1)
      for piece in 0..<source.pieceCount {
        try source.forEachBatch(of: piece, columns: [fields[index].0]) { (batch) throws(HeadraceError) in
          column.append(0..<batch.rowCount, of: batch.columns[0])
        }
      }
      read.set(index, column)
    }
    return (fields.map(\.0), read.all)
  }

  /// The keys' types.
  private func check(_ labels: any ColumnSource, _ features: any ColumnSource) throws(HeadraceError) -> [ColumnType] {
    var types: [ColumnType] = []
    for key in configuration.keys {
      let (left, right) = (try labels.type(of: key), try features.type(of: key))
      guard left == right else {
        throw HeadraceError(
          .user, "JOIN_COLUMN", "key \"\(key)\" is \(left) in the labels, and \(right) in the features",
          place: features.place, remedy: "write both with one type")
      }
      types.append(left)
    }
    _ = try labels.type(of: configuration.labelTime)
    _ = try features.type(of: configuration.featureTime)
    if let known = configuration.knownTime { _ = try features.type(of: known) }
    return types
  }

  private func columnNames(_ features: any ColumnSource) throws(HeadraceError) -> [String] {
    if let columns = configuration.columns {
      for name in columns { _ = try features.type(of: name) }
      return columns
    }
    let own = Set(configuration.keys + [configuration.featureTime] + (configuration.knownTime.map { [$0] } ?? []))
    return features.fields.map(\.name).filter { !own.contains($0) }
  }

  private struct ReadPiece: Sendable {
    var piece: JoinPiece
    /// When each row became known; empty when nobody asks.
    var known: [Int64]
  }

  private func matches(
    _ labels: any ColumnSource, _ features: any ColumnSource, _ types: [ColumnType]
  ) throws(HeadraceError) -> Matches {
    // Numbers stand for themselves; of other keys the labels' must be known before anything is looked up.
    var keys = JoinKeys(types: types)
    var ahead: [ReadPiece] = []
    if !keys.isPlain {
      for piece in 0..<labels.pieceCount {
        ahead.append(try read(labels, piece, time: configuration.labelTime) { keys.insert($0, row: $1) })
      }
    }
    let (known, left) = (keys, labels.pieceCount - ahead.count)
    let slots = Slots<ReadPiece>(left + features.pieceCount)
    try ParallelWork.run(left + features.pieceCount, threadCount: configuration.threadCount) {
      (piece) throws(HeadraceError) in
      var keys = known
      if piece < left {
        slots.set(piece, try self.read(labels, piece, time: configuration.labelTime) { keys.insert($0, row: $1) })
      } else {
        slots.set(
          piece,
          try self.read(
            features, piece - left, time: configuration.featureTime, known: configuration.knownTime
          ) { keys.find($0, row: $1) })
      }
    }
    let readPieces = (ahead + slots.all.prefix(left)).map(\.piece)
    let labelRows = readPieces.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.rowCount) }
    let all = Array(slots.all.dropFirst(left))
    var featureRows: [Int] = [0]
    for piece in all { featureRows.append(featureRows[featureRows.count - 1] + piece.piece.rowCount) }
    let matches = Matches(labelCount: labelRows[labelRows.count - 1], featureRows: featureRows)
    let (pieces, knownTimes) = (all.map(\.piece), configuration.knownTime == nil ? [] : all.flatMap(\.known))
    let (labelFirst, labelPieces, featureFirst) = (labelRows, readPieces, featureRows)
    let threadCount = configuration.threadCount
    let maximumAge = configuration.maximumAgeMilliseconds.map { $0.multipliedReportingOverflow(by: 1_000).partialValue }
    try ParallelWork.run(JoinPiece.partitionCount, threadCount: threadCount) { (partition) throws(HeadraceError) in
      let matcher = JoinMatcher(
        labels: labelPieces, features: pieces, firstRows: featureFirst, partition: partition)
      let isKnown: ((Int, Int64) -> Bool)? = knownTimes.isEmpty ? nil : { knownTimes[$0] <= $1 }
      for (index, piece) in labelPieces.enumerated() {
        for label in piece.rows(of: partition) {
          let found = matcher.match(label, maximumAge: maximumAge, isKnown: isKnown)
          matches.set(labelFirst[index] + Int(label.row), found)
        }
      }
    }
    return matches
  }

  private func read(
    _ source: any ColumnSource, _ piece: Int, time: String, known: String? = nil,
    code: (borrowing [Column], Int) -> Int64?
  ) throws(HeadraceError) -> ReadPiece {
    var rows: [JoinRow] = []
    var knownTimes: [Int64] = []
    var rowCount = 0
    let keyCount = configuration.keys.count
    let names = configuration.keys + [time] + (known.map { [$0] } ?? [])
    try source.forEachBatch(of: piece, columns: names) { (batch) throws(HeadraceError) in
      guard rowCount + batch.rowCount <= Int(Int32.max) else {
        throw HeadraceError(
          .user, "JOIN_TOO_LARGE", "a row group or file of more than 2^31 rows", place: source.place,
          remedy: "write it in smaller ones")
      }
      let times = try JoinKeys.microseconds(batch.columns[keyCount], place: source.place)
      if known != nil { knownTimes += try JoinKeys.microseconds(batch.columns[keyCount + 1], place: source.place) }
      rows.reserveCapacity(rows.count + batch.rowCount)
      for row in 0..<batch.rowCount {
        guard batch.columns[keyCount].isValid[row], let code = code(batch.columns, row) else { continue }
        rows.append(JoinRow(code: code, time: times[row], row: Int32(truncatingIfNeeded: rowCount + row)))
      }
      rowCount += batch.rowCount
    }
    return ReadPiece(piece: JoinPiece(rows, rowCount: rowCount), known: knownTimes)
  }
}
