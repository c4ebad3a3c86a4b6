internal import Columns
internal import Core
internal import Expressions
internal import Features

/// A service's vector for a run of labels: features of views, values of the request, and what is computed of both, with
/// the service's defaults in the place of nulls.
struct ServiceVector {
  private let specification: DatasetSpecification
  /// Where each request field is among the labels' columns.
  private let requestColumns: [String: Int]
  /// The labels' columns that go along: all but those that the service takes as they are.
  let keptColumns: [Int]
  /// Of the vector's columns.
  let types: [ColumnType]

  /// - Throws: LABELS_INVALID when a column of the request is missing, or when another one is called like a feature.
  init(_ specification: DatasetSpecification, _ columns: LabelColumns) throws(HeadraceError) {
    self.specification = specification
    types = specification.features.map { $0.type.columnType }
    var requests: [String: Int] = [:]
    for origin in specification.features.map(\.origin) + specification.onDemand.flatMap(\.inputs) {
      guard case .request(let name, let type) = origin else { continue }
      requests[name] = try columns.column(name, type, neededFor: "the service's request field")
    }
    requestColumns = requests
    var kept: [Int] = []
    for (index, name) in columns.names.enumerated() {
      guard let feature = specification.features.first(where: { $0.name == name }) else {
        kept.append(index)
        continue
      }
      if case .request(name, _) = feature.origin { continue }
      throw LabelColumns.invalid(
        "column \"\(name)\" is called like a feature of the service", columns.place,
        remedy: "give the column another name")
    }
    keptColumns = kept
  }

  /// One column for each value of the vector, in its order.
  ///
  /// - Parameters:
  ///   - labels: all columns of the labels.
  ///   - views: by view, its features for each of the labels.
  func columns(_ labels: borrowing ColumnBatch, views: [[Column]]) -> [Column] {
    var computed: [Column] = []
    for onDemand in specification.onDemand {
      var inputs = ColumnBatch([])
      inputs.rowCount = labels.rowCount
      for input in onDemand.inputs { inputs.columns.append(values(of: input, labels, views, computed)) }
      var result = Column(onDemand.expression.type)
      var scratch = ExpressionScratch()
      onDemand.expression.evaluate(inputs, into: &result, scratch: &scratch)
      computed.append(result)
    }
    return specification.features.map { feature in
      let column = values(of: feature.origin, labels, views, computed)
      return feature.defaultValue == .null ? column : column.fillingNulls(with: feature.defaultValue)
    }
  }

  private func values(
    of origin: DatasetSpecification.Origin, _ labels: borrowing ColumnBatch, _ views: [[Column]], _ computed: [Column]
  ) -> Column {
    switch origin {
    case .feature(let view, let feature): return views[view][feature]
    case .request(let name, let type):
      guard let column = requestColumns[name] else { return Column(type) }
      return labels.columns[column]
    case .onDemand(let position): return computed[position]
    }
  }
}

extension Column {
  fileprivate func fillingNulls(with value: Value) -> Column {
    guard nullCount > 0 else { return self }
    var filled = Column(type)
    for row in 0..<count {
      if isValid[row] { filled.append(row, of: self) } else { filled.append(feature: value) }
    }
    return filled
  }
}
