internal import Columns
internal import Core
internal import Expressions
internal import Features

/// A service's vector for each label: features of views, values of the request, and what is computed of both, with the
/// service's defaults in the place of nulls.
struct ServiceVector {
  private let specification: DatasetSpecification
  private let labels: DatasetLabels
  private let views: [[FeatureColumn]]
  private let rowCount: Int

  init(_ specification: DatasetSpecification, labels: DatasetLabels, views: [[FeatureColumn]]) {
    self.specification = specification
    self.labels = labels
    self.views = views
    rowCount = labels.batch.rowCount
  }

  /// One column for each value of the vector, in its order.
  func columns() throws(HeadraceError) -> [FeatureColumn] {
    var computed: [Column] = []
    for onDemand in specification.onDemand { computed.append(try evaluate(onDemand, computed)) }
    var columns: [FeatureColumn] = []
    for feature in specification.features {
      var column = FeatureColumn(name: feature.name, type: feature.type, rowCount: rowCount)
      let source = try values(of: feature.origin, computed)
      for row in 0..<rowCount {
        let value = source(row)
        column.set(row, value == .null ? feature.defaultValue : value)
      }
      columns.append(column)
    }
    return columns
  }

  private func evaluate(
    _ onDemand: DatasetSpecification.OnDemand, _ computed: [Column]
  ) throws(HeadraceError) -> Column {
    var batch = ColumnBatch([])
    batch.rowCount = rowCount
    for (index, origin) in onDemand.inputs.enumerated() {
      let source = try values(of: origin, computed)
      var column = Column(type(of: origin, onDemand, index))
      column.reserveCapacity(rowCount)
      for row in 0..<rowCount {
        guard column.append(source(row)) else {
          throw HeadraceError(
            .internal, "DATASET_TYPE", "input \(index) of \(onDemand.name) is not \(column.type)", place: onDemand.name)
        }
      }
      batch.columns.append(column)
    }
    var result = Column(onDemand.expression.type)
    var scratch = ExpressionScratch()
    onDemand.expression.evaluate(batch, into: &result, scratch: &scratch)
    return result
  }

  private func type(
    of origin: DatasetSpecification.Origin, _ onDemand: DatasetSpecification.OnDemand, _ index: Int
  ) -> ColumnType {
    switch origin {
    case .feature(let view, let feature): views[view][feature].type.element
    case .request(_, let type): type
    case .onDemand(let position): specification.onDemand[position].expression.type
    }
  }

  private func values(
    of origin: DatasetSpecification.Origin, _ computed: [Column]
  ) throws(HeadraceError) -> (Int) -> Value {
    switch origin {
    case .feature(let view, let feature):
      let column = views[view][feature]
      return { column.value($0) }
    case .request(let name, let type):
      let column = labels.batch.columns[try labels.column(name, type, neededFor: "the service's request field")]
      return { column.value($0) }
    case .onDemand(let position):
      let column = computed[position]
      return { column.value($0) }
    }
  }
}
