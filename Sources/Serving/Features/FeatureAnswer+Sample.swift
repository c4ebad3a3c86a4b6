internal import Columns
internal import Features
internal import OfflineStore
internal import Runtime

extension FeatureAnswer {
  /// The vector of the traced row, and what it was made of.
  ///
  /// - Returns: nil when no row is traced, or it cannot be told what it was made of.
  func sample(servedMilliseconds: Int64) -> ServedVector? {
    guard let row = tracedRow, !traces.isEmpty, traces.count == shape.reads.count else { return nil }
    var reads: [ServedVector.Read] = []
    for (index, (read, trace)) in zip(shape.reads, traces).enumerated() {
      guard let trace, let prefix = trace.prefix else { return nil }
      let view = catalog.views[read.view]
      reads.append(
        ServedVector.Read(
          view: view.name,
          key: zip(view.joinKeys, read.joinKeys).map { ($0.name, joinKeys[$1 * rowCount + row]) },
          readMilliseconds: trace.moment.atMilliseconds, watermarkMilliseconds: trace.moment.watermarkMilliseconds,
          prefix: prefix,
          features: read.features.enumerated().map { position, feature in
            sampled(
              .feature(read: index, position: position), row, view.features[feature].name,
              view.features[feature].fingerprint)
          }))
    }
    let request = shape.requestFields.enumerated().map { field, request in
      sampled(.request(field), row, String(decoding: request.name, as: UTF8.self), "")
    }
    let onDemand = shape.onDemand.enumerated().map { position, computed in
      sampled(
        .onDemand(position), row, catalog.onDemand[computed.index].name, catalog.onDemand[computed.index].fingerprint)
    }
    return ServedVector(
      id: Int64.random(in: 0 ... .max), servedMilliseconds: servedMilliseconds,
      service: shape.service.map { catalog.services[$0].name }, reads: reads, request: request, onDemand: onDemand)
  }

  private func sampled(
    _ origin: ResolvedShape.Origin, _ row: Int, _ name: String, _ fingerprint: String
  ) -> ServedVector.Feature {
    let found = values[place(origin).index(row)]
    var feature = ServedVector.Feature(
      name: name, fingerprint: fingerprint, value: ServedValue(found.value), status: found.status)
    if found.value == .null, let column = shape.columns.first(where: { $0.origin == origin }),
      column.defaultValue != .null
    {
      feature.servedDefault = ServedValue(column.defaultValue)
    }
    return feature
  }
}
