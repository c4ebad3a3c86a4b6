internal import Columns
internal import Contracts
internal import Core
internal import Features
internal import OnlineStore
internal import Runtime

/// Reads what a shape asks for, for every row of a request, and writes the answer.
///
/// One may serve many requests, one after the other: its arrays keep their memory.
struct FeatureAnswer {
  let catalog: ServingCatalog
  let source: any OnlineFeatureSource
  private(set) var shape = ResolvedShape.empty
  private(set) var rowCount = 0
  /// Column by column of the shape's join keys, a value for every row.
  private(set) var joinKeys: [Value] = []
  /// Everything that columns are made of. First what is read, row by row for each of the shape's reads; then column by
  /// column what came with the request; then what is computed.
  private(set) var values: [FeatureValue] = []
  private var row: [FeatureValue] = []
  private var key = EntityKey(bytes: [])
  /// When windows ended; epoch milliseconds.
  private(set) var readAtMilliseconds: Int64 = 0
  /// The oldest watermark of what was read: what every value has seen.
  private(set) var watermarkMilliseconds: Int64?
  /// The row whose vector is sampled; nil for none, which is the rule.
  private(set) var tracedRow: Int?
  /// Of the traced row, by read; nil where it cannot be told what the row was made of.
  private(set) var traces: [TracedRead?] = []

  init(catalog: ServingCatalog, source: any OnlineFeatureSource) {
    self.catalog = catalog
    self.source = source
  }

  /// How many rows of views it takes.
  var readCount: Int { rowCount * shape.reads.count }

  /// Where the values of a column are: that of row `r` at `first + r * stride`.
  struct Place {
    var first: Int
    var stride: Int

    func index(_ row: Int) -> Int { first + row * stride }
  }

  func place(_ origin: ResolvedShape.Origin) -> Place {
    switch origin {
    case .feature(let read, let position):
      let read = shape.reads[read]
      return Place(first: read.firstValue * rowCount + position, stride: read.features.count)
    case .request(let field): return Place(first: (shape.readValueCount + field) * rowCount, stride: 1)
    case .onDemand(let position):
      return Place(first: (shape.readValueCount + shape.requestFields.count + position) * rowCount, stride: 1)
    }
  }
}

extension FeatureAnswer {
  /// Turns to another request.
  ///
  /// - Throws: 422 when join keys are missing, differ in length or are no values of their type; 404 for request fields.
  mutating func begin(
    _ request: borrowing FeatureRequest, in body: Span<UInt8>, shape: ResolvedShape
  ) throws(Problem) {
    self.shape = shape
    joinKeys.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
    readAtMilliseconds = 0
    watermarkMilliseconds = nil
    if tracedRow != nil {
      tracedRow = nil
      traces.removeAll()
    }
    try Self.checkNames(of: request, in: body, shape)
    let first = shape.joinKeys.first ?? shape.requestFields.first
    rowCount = first.flatMap { request.column(named: $0.name, in: body)?.values.count } ?? 0
    for field in shape.joinKeys {
      try Self.forEachValue(of: field, request, in: body, rowCount: rowCount) { joinKeys.append($0) }
    }
    // What is read comes in front, as soon as it is known.
    values.append(contentsOf: repeatElement(.notFound, count: shape.readValueCount * rowCount))
    for field in shape.requestFields {
      try Self.forEachValue(of: field, request, in: body, rowCount: rowCount) { value in
        values.append(
          FeatureValue(value: value, status: value == .null ? .nullValue : .present, eventTimeMilliseconds: nil))
      }
    }
  }

  private static func checkNames(
    of request: borrowing FeatureRequest, in body: Span<UInt8>, _ shape: ResolvedShape
  ) throws(Problem) {
    var missingKeys: [String] = []
    for field in shape.joinKeys where request.column(named: field.name, in: body)?.values.isEmpty ?? true {
      missingKeys.append("'\(String(decoding: field.name, as: UTF8.self))'")
    }
    guard missingKeys.isEmpty else {
      let keys = "[\(missingKeys.joined(separator: ", "))]"
      throw Problem(
        422, "MISSING_JOIN_KEYS", "Missing join key values for keys: \(keys). No values provided for keys: \(keys).",
        place: "entities", feast: .exception("FeastError"))
    }
    var missingFields: [String] = []
    for field in shape.requestFields where request.column(named: field.name, in: body) == nil {
      missingFields.append("'\(String(decoding: field.name, as: UTF8.self))'")
    }
    guard missingFields.isEmpty else {
      throw Problem(
        404, "MISSING_REQUEST_FIELDS",
        "Required request data source features [\(missingFields.joined(separator: ", "))] not found "
          + "in the entity rows, but required by feature views",
        feast: .exception("RequestDataNotFoundInEntityRowsException"))
    }
  }

  /// - Parameter take: is given the field's value of every row.
  private static func forEachValue(
    of field: ResolvedShape.Field, _ request: borrowing FeatureRequest, in body: Span<UInt8>, rowCount: Int,
    _ take: (Value) -> Void
  ) throws(Problem) {
    guard let column = request.column(named: field.name, in: body) else { return }
    guard column.values.count == rowCount else {
      throw Problem(
        422, "UNEQUAL_LENGTHS", "\(column.values.count) values where the first key has \(rowCount)",
        place: "entities.\(String(decoding: field.name, as: UTF8.self))",
        remedy: "All entity rows must have the same columns.")
    }
    for index in column.values {
      let found = request.entityValues[index]
      guard let value = Value(found, in: body, as: field.type) else {
        throw Problem(
          422, "WRONG_TYPE", "\(found.excerpt(in: body)) is no \(field.type)",
          place: "entities.\(String(decoding: field.name, as: UTF8.self)).\(index - column.values.lowerBound)")
      }
      take(value)
    }
  }
}

extension FeatureAnswer {
  /// How often a large read looks whether its time is over.
  private static let rowsPerDeadlineCheck = 64

  /// Reads everything.
  ///
  /// - Parameter isOver: whether nobody waits for the answer any more.
  mutating func readAll(at time: ReadTime, isOver: () -> Bool) throws(Problem) {
    let joinKeys = joinKeys
    for read in shape.reads {
      var first = read.firstValue * rowCount
      for index in 0..<rowCount {
        if index % Self.rowsPerDeadlineCheck == Self.rowsPerDeadlineCheck - 1, isOver() { throw .deadlineExceeded }
        let isEntity = key.replace(partCount: read.joinKeys.count) { joinKeys[read.joinKeys[$0] * rowCount + index] }
        if isEntity {
          try readRow(read, at: time, isTraced: index == tracedRow)
          // A reader that gives too few values must not shift those of other rows.
          for position in 0..<min(row.count, read.features.count) { values[first + position] = row[position] }
        }
        first += read.features.count
      }
    }
    guard !source.hasPutOff else { throw .putOff }
    for feature in shape.onDemand { compute(feature) }
  }

  private mutating func readRow(_ read: ResolvedShape.Read, at time: ReadTime, isTraced: Bool) throws(Problem) {
    do throws(OnlineReadError) {
      let moment =
        isTraced
        ? try readTraced(read, at: time)
        : try source.read(view: read.view, key: key, at: time, features: read.features, into: &row)
      readAtMilliseconds = max(readAtMilliseconds, moment.atMilliseconds)
      if let watermark = moment.watermarkMilliseconds {
        watermarkMilliseconds = min(watermarkMilliseconds ?? .max, watermark)
      }
    } catch {
      throw Problem(error, view: catalog.views[read.view].name)
    }
  }

  private mutating func readTraced(
    _ read: ResolvedShape.Read, at time: ReadTime
  ) throws(OnlineReadError) -> ReadMoment {
    guard let sampled = source as? any SampledFeatureSource else {
      return try source.read(view: read.view, key: key, at: time, features: read.features, into: &row)
    }
    let traced = try sampled.readTraced(view: read.view, key: key, at: time, features: read.features, into: &row)
    traces.append(traced.prefix == nil ? nil : traced)
    return traced.moment
  }

  /// Has the vector of one row sampled. Between `begin` and `readAll`.
  mutating func trace(row: Int) { tracedRow = row }

  /// Appends one on-demand feature for all rows.
  private mutating func compute(_ onDemand: ResolvedShape.OnDemand) {
    let feature = catalog.onDemand[onDemand.index]
    var batch = ColumnBatch(feature.inputTypes)
    var eventTimes = [Int64?](repeating: nil, count: rowCount)
    for (column, origin) in onDemand.inputs.enumerated() {
      let place = place(origin)
      for row in 0..<rowCount {
        let input = values[place.index(row)]
        if !batch.columns[column].append(input.value) { batch.columns[column].appendNull() }
        if let time = input.eventTimeMilliseconds { eventTimes[row] = max(eventTimes[row] ?? .min, time) }
      }
    }
    batch.rowCount = rowCount
    let column = feature.evaluate(batch)
    for row in 0..<rowCount {
      let value = row < column.count ? column.value(row) : .null
      values.append(
        FeatureValue(
          value: value, status: value == .null ? .nullValue : .present, eventTimeMilliseconds: eventTimes[row]))
    }
  }
}

extension JSONValue {
  /// Enough of the value to recognise it in an error.
  func excerpt(in body: Span<UInt8>) -> String {
    let source = source(in: body)
    let head = source.extracting(first: min(source.count, 40))
    let text = unsafe head.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    return source.count > 40 ? "\(text)…" : text
  }
}
