internal import Core
internal import Lineage
internal import OfflineStore

extension DatasetManifest {
  /// The dataset, with its content as its version.
  ///
  /// - Parameter place: its folder.
  func lineage(place: String) -> LineageDataset {
    var dataset = LineageDataset.place(
      place, fields: fields.map { .init(name: $0.name, type: $0.type) }, version: contentHash)
    dataset.rowCount = Int64(rowCount)
    dataset.sizeBytes = files.reduce(0) { $0 + Int64(clamping: $1.sizeBytes) }
    return dataset
  }

  /// Tables at their versions, and topics, that it was made from.
  ///
  /// - Parameter tables: where tables are.
  func lineageInputs(tables: String?, bootstrapServers: String) -> [LineageDataset] {
    var inputs = events.map { origin in
      if let table = origin.table {
        return LineageDataset.place(tables ?? "", below: table, version: "\(origin.version)")
      }
      return .topic(origin.topic ?? origin.source, bootstrapServers: bootstrapServers)
    }
    switch labels.kind {
    case .topic: inputs.append(.topic(labels.place, bootstrapServers: bootstrapServers))
    default: inputs.append(.place(labels.place, version: labels.version.map { "\($0)" }))
    }
    return inputs
  }
}
