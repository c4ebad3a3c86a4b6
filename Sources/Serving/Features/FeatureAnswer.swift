internal import Columns
internal import Contracts
internal import Core
internal import Features
internal import NIOCore
internal import OnlineStore

/// Reads what a shape asks for, for every row of a request, and writes the answer.
struct FeatureAnswer {
  let catalog: ServingCatalog
  let source: any OnlineFeatureSource
  let shape: ResolvedShape
  let rowCount: Int
  /// For each of the shape's join keys, a value for every row.
  private var joinKeys: [[Value]] = []
  /// Likewise for its request fields.
  private var requestFields: [[Value]] = []
  /// For each of the shape's reads, row by row, the features that it reads.
  private var read: [[FeatureValue]] = []
  private var onDemand: [[FeatureValue]] = []
  /// When windows ended; epoch milliseconds.
  private var readAtMilliseconds: Int64 = 0
  /// The oldest watermark of what was read: what every value has seen.
  private var watermarkMilliseconds: Int64?

  /// - Throws: 422 when join keys are missing, differ in length or are no values of their type; 404 for request fields.
  init(
    _ request: borrowing FeatureRequest, in body: Span<UInt8>, shape: ResolvedShape, catalog: ServingCatalog,
    source: any OnlineFeatureSource
  ) throws(Problem) {
    self.catalog = catalog
    self.source = source
    self.shape = shape
    let columns = try Self.columns(of: request, in: body, shape: shape)
    rowCount = columns.joinKeys.first?.values.count ?? columns.requestFields.first?.values.count ?? 0
    for (field, column) in zip(shape.joinKeys, columns.joinKeys) {
      joinKeys.append(try Self.values(of: column, field, request, in: body, rowCount: rowCount))
    }
    for (field, column) in zip(shape.requestFields, columns.requestFields) {
      requestFields.append(try Self.values(of: column, field, request, in: body, rowCount: rowCount))
    }
  }

  private static func columns(
    of request: borrowing FeatureRequest, in body: Span<UInt8>, shape: ResolvedShape
  ) throws(Problem) -> (joinKeys: [FeatureRequest.EntityColumn], requestFields: [FeatureRequest.EntityColumn]) {
    var joinKeys: [FeatureRequest.EntityColumn] = []
    var requestFields: [FeatureRequest.EntityColumn] = []
    var missingKeys: [String] = []
    var missingFields: [String] = []
    for field in shape.joinKeys {
      if let column = request.column(named: field.name, in: body), !column.values.isEmpty {
        joinKeys.append(column)
      } else {
        missingKeys.append("'\(String(decoding: field.name, as: UTF8.self))'")
      }
    }
    for field in shape.requestFields {
      if let column = request.column(named: field.name, in: body) {
        requestFields.append(column)
      } else {
        missingFields.append("'\(String(decoding: field.name, as: UTF8.self))'")
      }
    }
    guard missingKeys.isEmpty else {
      let keys = "[\(missingKeys.joined(separator: ", "))]"
      throw Problem(
        422, "MISSING_JOIN_KEYS", "Missing join key values for keys: \(keys). No values provided for keys: \(keys).",
        place: "entities", feast: .exception("FeastError"))
    }
    guard missingFields.isEmpty else {
      throw Problem(
        404, "MISSING_REQUEST_FIELDS",
        "Required request data source features [\(missingFields.joined(separator: ", "))] not found "
          + "in the entity rows, but required by feature views",
        feast: .exception("RequestDataNotFoundInEntityRowsException"))
    }
    return (joinKeys, requestFields)
  }

  private static func values(
    of column: FeatureRequest.EntityColumn, _ field: ResolvedShape.Field, _ request: borrowing FeatureRequest,
    in body: Span<UInt8>, rowCount: Int
  ) throws(Problem) -> [Value] {
    let name = String(decoding: field.name, as: UTF8.self)
    guard column.values.count == rowCount else {
      throw Problem(
        422, "UNEQUAL_LENGTHS", "\(column.values.count) values where the first key has \(rowCount)",
        place: "entities.\(name)", remedy: "All entity rows must have the same columns.")
    }
    var values: [Value] = []
    values.reserveCapacity(rowCount)
    for index in column.values {
      let found = request.entityValues[index]
      guard let value = Value(found, in: body, as: field.type) else {
        throw Problem(
          422, "WRONG_TYPE", "\(found.excerpt(in: body)) is no \(field.type)",
          place: "entities.\(name).\(index - column.values.lowerBound)")
      }
      values.append(value)
    }
    return values
  }
}

extension FeatureAnswer {
  /// How often a large read looks whether its time is over.
  private static let rowsPerDeadlineCheck = 64

  /// Reads everything.
  ///
  /// - Parameters:
  ///   - hasAdditions: whether `write` is to tell more than Feast does.
  ///   - isOver: whether nobody waits for the answer any more.
  mutating func readAll(at time: ReadTime, hasAdditions: Bool, isOver: () -> Bool) throws(Problem) {
    read.reserveCapacity(shape.reads.count)
    var row: [FeatureValue] = []
    for position in shape.reads.indices {
      let view = shape.reads[position]
      var values: [FeatureValue] = []
      values.reserveCapacity(rowCount * view.features.count)
      for index in 0..<rowCount {
        if index % Self.rowsPerDeadlineCheck == Self.rowsPerDeadlineCheck - 1, isOver() { throw .deadlineExceeded }
        if let key = EntityKey.encode(view.joinKeys.map { joinKeys[$0][index] }) {
          try readRow(view, key, at: time, into: &row)
          if hasAdditions { note(source.watermarkMilliseconds(view: view.view, key: key)) }
        } else {
          row.removeAll(keepingCapacity: true)
        }
        // A reader that gives too few values must not shift those of other rows.
        for feature in view.features.indices { values.append(feature < row.count ? row[feature] : .notFound) }
      }
      read.append(values)
    }
    for position in shape.onDemand.indices { onDemand.append(computed(position)) }
  }

  private mutating func readRow(
    _ view: ResolvedShape.Read, _ key: EntityKey, at time: ReadTime, into values: inout [FeatureValue]
  ) throws(Problem) {
    do throws(OnlineReadError) {
      let at = try source.read(view: view.view, key: key, at: time, features: view.features, into: &values)
      readAtMilliseconds = max(readAtMilliseconds, at)
    } catch {
      throw Problem(error, view: catalog.views[view.view].name)
    }
  }

  private mutating func note(_ watermark: Int64?) {
    if let watermark { watermarkMilliseconds = min(watermarkMilliseconds ?? .max, watermark) }
  }

  /// One on-demand feature for all rows.
  private func computed(_ position: Int) -> [FeatureValue] {
    let feature = catalog.onDemand[shape.onDemand[position].index]
    let inputs = shape.onDemand[position].inputs
    var batch = ColumnBatch(feature.inputTypes)
    var eventTimes = [Int64?](repeating: nil, count: rowCount)
    for (index, input) in inputs.enumerated() {
      for row in 0..<rowCount {
        let value = value(input, row)
        if !batch.columns[index].append(value.value) { batch.columns[index].appendNull() }
        if let time = value.eventTimeMilliseconds { eventTimes[row] = max(eventTimes[row] ?? .min, time) }
      }
    }
    batch.rowCount = rowCount
    let column = feature.evaluate(batch)
    return (0..<rowCount).map { row in
      let value = row < column.count ? column.value(row) : .null
      return FeatureValue(
        value: value, status: value == .null ? .nullValue : .present, eventTimeMilliseconds: eventTimes[row])
    }
  }

  private func value(_ origin: ResolvedShape.Origin, _ row: Int) -> FeatureValue {
    switch origin {
    case .feature(let read, let position): return self.read[read][row * shape.reads[read].features.count + position]
    case .onDemand(let position): return onDemand[position][row]
    case .request(let field):
      let value = requestFields[field][row]
      return FeatureValue(
        value: value, status: value == .null ? .nullValue : .present, eventTimeMilliseconds: nil)
    }
  }
}

extension FeatureAnswer {
  /// The answer, and how many values of each status are in it.
  ///
  /// - Parameter hasAdditions: whether to tell more than Feast does.
  func write(hasAdditions: Bool) -> (body: ByteBuffer, counts: StatusCounts) {
    var counts = StatusCounts()
    // Names and statuses take about this much; a longer answer grows the buffer.
    var body = ByteBufferAllocator().buffer(
      capacity: 256 + shape.metadata.readableBytes + (shape.columns.count + 1) * (60 + 56 * rowCount))
    body.write("{\"results\":[")
    for (index, values) in joinKeys.enumerated() {
      if index > 0 { body.write(",") }
      writeJoinKey(values, to: &body)
    }
    for (index, column) in shape.columns.enumerated() {
      if index > 0 || !joinKeys.isEmpty { body.write(",") }
      write(column, to: &body, &counts)
    }
    body.write("],")
    body.writeImmutableBuffer(shape.metadata)
    if hasAdditions { writeAdditions(to: &body) }
    body.write("}")
    return (body, counts)
  }

  private func writeJoinKey(_ values: [Value], to body: inout ByteBuffer) {
    body.write("{\"values\":[")
    for row in 0..<rowCount {
      if row > 0 { body.write(",") }
      body.writeValue(values[row])
    }
    body.write("],\"statuses\":[")
    for row in 0..<rowCount { body.write(row > 0 ? ",\"PRESENT\"" : "\"PRESENT\"") }
    body.write("],\"event_timestamps\":[")
    for row in 0..<rowCount { body.write(row > 0 ? ",\"1970-01-01T00:00:00Z\"" : "\"1970-01-01T00:00:00Z\"") }
    body.write("]}")
  }

  private func write(_ column: ResolvedShape.Column, to body: inout ByteBuffer, _ counts: inout StatusCounts) {
    body.write("{\"values\":[")
    for row in 0..<rowCount {
      if row > 0 { body.write(",") }
      let value = value(column.origin, row).value
      if case .null = value { body.writeValue(column.defaultValue) } else { body.writeValue(value) }
    }
    body.write("],\"statuses\":[")
    for row in 0..<rowCount {
      if row > 0 { body.write(",") }
      let status = status(column.origin, row)
      counts.add(status)
      body.write(status.quoted)
    }
    body.write("],\"event_timestamps\":[")
    for row in 0..<rowCount {
      body.write(row > 0 ? ",\"" : "\"")
      body.writeTime(milliseconds: value(column.origin, row).eventTimeMilliseconds ?? 0)
      body.write("\"")
    }
    body.write("]}")
  }

  /// An empty list is a null on the wire, so that its status has to say so.
  private func status(_ origin: ResolvedShape.Origin, _ row: Int) -> FeatureStatus {
    let value = value(origin, row)
    if case .list(let elements) = value.value, elements.isEmpty { return .nullValue }
    return value.status
  }

  private func writeAdditions(to body: inout ByteBuffer) {
    let flags = read.joined().reduce(into: FeatureFlags()) { $0.formUnion($1.flags) }
    body.write(",\"headrace\":{\"read_at\":\"")
    body.writeTime(milliseconds: readAtMilliseconds)
    body.write("\",\"tile\":")
    body.write(flags.contains(.tile) ? "true" : "false")
    body.write(",\"approximate\":")
    body.write(flags.contains(.approximate) ? "true" : "false")
    if let watermarkMilliseconds {
      body.write(",\"watermark\":\"")
      body.writeTime(milliseconds: watermarkMilliseconds)
      body.write("\",\"watermark_age_ms\":")
      body.writeDecimal(max(readAtMilliseconds &- watermarkMilliseconds, 0))
    }
    body.write("}")
  }
}

/// How many values of each status an answer has.
struct StatusCounts {
  private(set) var present = 0
  private(set) var nullValue = 0
  private(set) var notFound = 0
  private(set) var outsideMaxAge = 0

  mutating func add(_ status: FeatureStatus) {
    switch status {
    case .present: present += 1
    case .nullValue: nullValue += 1
    case .notFound: notFound += 1
    case .outsideMaxAge: outsideMaxAge += 1
    }
  }
}

extension FeatureStatus {
  fileprivate var quoted: StaticString {
    switch self {
    case .present: "\"PRESENT\""
    case .nullValue: "\"NULL_VALUE\""
    case .notFound: "\"NOT_FOUND\""
    case .outsideMaxAge: "\"OUTSIDE_MAX_AGE\""
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
