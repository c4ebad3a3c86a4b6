internal import Columns
internal import Core
internal import Features
internal import Kafka
internal import OnlineStore
internal import Runtime
internal import Serving
internal import Topology

/// Finds keys that were seen just now, and reads their features: what `dev` shows of them.
struct DevSampler: Sendable {
  private static let featuresMax = 4

  let plan: Plan
  let client: ClientConfiguration
  let features: any OnlineFeatureSource

  /// A sample for each view of which a record is there; blocks.
  func read() throws -> [DevSnapshot.Sample] {
    let newest = try TopicSample.read(plan.sources.map(\.topic), recordsMax: 1, client)
    var samples: [DevSnapshot.Sample] = []
    for (index, source) in plan.sources.enumerated() {
      var decoder = try GoldenSource(source)
      guard let value = newest[source.topic]?.values.last.flatMap(\.self), try decoder.decode(value) != nil else {
        continue
      }
      for view in plan.views.indices where plan.views[view].source == index {
        let parts = plan.views[view].keyColumns.map { decoder.batch.columns[$0].value(0) }
        if let sample = sample(of: view, parts) { samples.append(sample) }
      }
    }
    return samples
  }

  private func sample(of index: Int, _ parts: [Value]) -> DevSnapshot.Sample? {
    let view = plan.views[index]
    let shown = Array(view.features.indices.prefix(Self.featuresMax))
    var values: [FeatureValue] = []
    guard let key = EntityKey.encode(parts),
      (try? features.read(view: index, key: key, at: .latest, features: shown, into: &values)) != nil
    else { return nil }
    // The newest record may not be applied yet, or does not count.
    guard values.contains(where: { $0.status == .present }) else { return nil }
    return DevSnapshot.Sample(
      view: view.name, key: parts.map(\.keyText).joined(separator: ","),
      values: zip(shown, values).map { (view.features[$0].name, $1.value.shortText) })
  }
}

extension Value {
  /// As a key is written on the command line.
  fileprivate var keyText: String {
    if case .string(let text) = self { text } else { jsonText }
  }

  /// Doubles with so many digits as a line has room for.
  fileprivate var shortText: String {
    if case .double(let number) = self { Figures.fixed(number, 2) } else { jsonText }
  }
}
