/// Some of the rows, whatever part they are of: every k-th one, k doubled whenever there are too many.
struct FeatureSample {
  static let rowsMax = 20_000
  private static let valuesMax = 16 << 20

  let featureCount: Int
  private(set) var features: [Float] = []
  private(set) var labels: [Float] = []
  private var stride = 1
  private var position = 0
  private let limit: Int

  init(_ dataset: TrainingDataset) {
    featureCount = dataset.features.count
    limit = max(1_000, min(Self.rowsMax, Self.valuesMax / max(featureCount, 1)))
  }

  mutating func add(_ rows: TrainingRows) {
    for row in 0..<rows.count {
      defer { position += 1 }
      guard position % stride == 0 else { continue }
      if labels.count == limit {
        halve()
        guard position % stride == 0 else { continue }
      }
      features += rows.features[row * featureCount..<(row + 1) * featureCount]
      labels.append(rows.labels[row])
    }
  }

  private mutating func halve() {
    stride *= 2
    var (kept, keptLabels): ([Float], [Float]) = ([], [])
    for row in Swift.stride(from: 0, to: labels.count, by: 2) {
      kept += features[row * featureCount..<(row + 1) * featureCount]
      keptLabels.append(labels[row])
    }
    (features, labels) = (kept, keptLabels)
  }

  /// A feature with its labels where it is not null, and where it is.
  func column(_ feature: Int) -> (values: [Double], labels: [Float], isPresent: [Bool]) {
    var (values, own): ([Double], [Float]) = ([], [])
    var isPresent: [Bool] = []
    for row in labels.indices {
      let value = features[row * featureCount + feature]
      isPresent.append(!value.isNaN)
      guard value.isFinite else { continue }
      values.append(Double(value))
      own.append(labels[row])
    }
    return (values, own, isPresent)
  }
}
