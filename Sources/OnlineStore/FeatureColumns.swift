package import Columns
package import Features

/// Features of one row after the other, as columns: what the history of a view is made of. Buffers are kept from batch
/// to batch.
package struct FeatureColumns: Sendable {
  /// Of a row as a whole.
  package enum RowStatus: UInt8, Sendable, CaseIterable {
    case present, outsideMaxAge, notFound, beforeHorizon

    /// As an online read says it; of what an online read refuses, its reason.
    package var text: String {
      switch self {
      case .present: FeatureStatus.present.rawValue
      case .outsideMaxAge: FeatureStatus.outsideMaxAge.rawValue
      case .notFound: FeatureStatus.notFound.rawValue
      case .beforeHorizon: "BEFORE_HORIZON"
      }
    }
  }

  /// A column for each feature of the layout, derived ones last; lists as JSON texts.
  package private(set) var columns: [Column]
  package private(set) var statuses: [RowStatus] = []
  /// False where a value may hold events that are newer than the time that it was read at.
  package private(set) var isExact: [Bool] = []
  private let features: [Int]
  private var values: [FeatureValue] = []

  package init(_ layout: ViewLayout) {
    let types = layout.featureTypes.map(\.type)
    columns = types.map { Column($0.columnType) }
    features = Array(types.indices)
  }

  package var rowCount: Int { statuses.count }

  package mutating func removeAll() {
    for index in columns.indices { columns[index].removeAll() }
    statuses.removeAll(keepingCapacity: true)
    isExact.removeAll(keepingCapacity: true)
  }

  /// Adds what an online read of the row answers.
  mutating func append(_ row: borrowing FeatureRow, of layout: ViewLayout, at time: Int64, watermark: Int64) {
    layout.read(row, at: time, watermark: watermark, features: features, into: &values)
    appendValues()
  }

  /// Adds what is read of a key that has no row.
  mutating func appendMissing(of layout: ViewLayout) {
    layout.readMissing(features: features, into: &values)
    appendValues()
  }

  private mutating func appendValues() {
    var status = RowStatus.present
    var flags: FeatureFlags = []
    for index in values.indices {
      switch values[index].status {
      case .present, .nullValue: break
      case .notFound: status = .notFound
      case .outsideMaxAge: status = .outsideMaxAge
      }
      flags.formUnion(values[index].flags)
      append(values[index].value, to: index)
    }
    if status == .present, flags.contains(.beforeHorizon) { status = .beforeHorizon }
    statuses.append(status)
    isExact.append(!flags.contains(.tile))
  }

  private mutating func append(_ value: Value, to column: Int) {
    if case .list(let elements) = value {
      columns[column].append(JSONListText.text(elements))
    } else if !columns[column].append(value) {
      columns[column].appendNull()
    }
  }
}

extension FeatureType {
  /// What a column of a table holds it as: a list is a JSON text.
  package var columnType: ColumnType { isList ? .string : element }
}
