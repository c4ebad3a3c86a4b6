internal import Columns
internal import Core
internal import Drift
internal import OfflineStore
internal import Storage

/// A training set as the reference of a monitor: a profile of each column that both have.
enum DatasetReference {
  /// - Returns: nil for a definition with another reference; in it nil for columns that the training set does not have,
  ///   as it has no predictions.
  /// - Throws: REFERENCE_MISSING, DATASET_MISSING, and what reading throws.
  static func profiles(
    _ definition: MonitorDefinition, _ tables: (any BlobStore)?
  ) throws(HeadraceError) -> [NumericProfile?]? {
    guard case .given(let name) = definition.reference else { return nil }
    let parts = name.split(separator: "@").map(String.init)
    guard parts.count == 2, let tables else {
      throw HeadraceError(
        .user, "REFERENCE_MISSING", "training sets lie beside the tables, and there are none", place: name,
        remedy: "give --data or a storage, or another `reference`")
    }
    let catalog = DatasetCatalog(tables)
    let entry = try catalog.entry(try BlobName("datasets/\(parts[0])").appending(parts[1]))
    var sketches = [QuantileSketch](repeating: QuantileSketch(), count: definition.columns.count)
    var isThere = [Bool](repeating: false, count: definition.columns.count)
    try forEachColumn(catalog, entry, definition) { column, values in
      isThere[column] = true
      for value in values where !value.isNaN { sketches[column].add(value) }
    }
    var profiles = sketches.enumerated().map { column, sketch -> NumericProfile? in
      isThere[column]
        ? NumericProfile(sketch.grid(finePerCoarse: MonitorState.finePerCoarse)?.grid ?? .single) : nil
    }
    try forEachColumn(catalog, entry, definition) { column, values in
      for value in values { profiles[column]?.add(value) }
    }
    guard profiles.contains(where: { $0 != nil }) else {
      throw HeadraceError(
        .user, "REFERENCE_MISSING", "the training set has none of the monitor's columns", place: name,
        remedy: "name one of the service that the model has: \(definition.columns.joined(separator: ", "))")
    }
    return profiles
  }

  /// Values as a model is given them: in single precision, NaN for null. Of a training set that is split, what trains.
  private static func forEachColumn(
    _ catalog: DatasetCatalog, _ entry: DatasetCatalog.Entry, _ definition: MonitorDefinition,
    _ body: (_ column: Int, _ values: [Double]) -> Void
  ) throws(HeadraceError) {
    guard let part = entry.manifest.split.parts.first else { return }
    var values: [Double] = []
    try catalog.forEachBatch(of: entry, part: part) { (batch, names) throws(HeadraceError) in
      for (column, name) in definition.columns.enumerated() {
        guard let place = names.firstIndex(of: name) else { continue }
        values.removeAll(keepingCapacity: true)
        NumericWindow.append(batch.columns[place], to: &values)
        for row in values.indices { values[row] = Double(Float(values[row])) }
        body(column, values)
      }
    }
  }
}
