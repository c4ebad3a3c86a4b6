package import Columns

/// What a feature computes from the events of its window.
///
/// Aggregates skip nulls, as SQL does. All of them are functions of the *set* of events: arrival order and the way in
/// which events were merged never change a bit of the result.
package enum AggregateFunction: Hashable, Sendable {
  /// How many events, or how many non-null values of the argument. 0 of none; everything else is null of none.
  case count
  /// The exact sum, rounded once. Of integers and booleans an integer (null when it does not fit), of decimals a
  /// decimal.
  case sum
  /// The exact sum divided by the count.
  case mean
  case minimum
  case maximum
  /// The sample variance (divided by n - 1, as SQL's `variance`), from exact sums; null of fewer than two values.
  case variance
  /// The square root of `variance`.
  case standardDeviation
  /// The value of the least event by (event time, partition, offset).
  case first
  /// The value of the greatest event by (event time, partition, offset).
  case last
  /// The values of the `count` greatest events by (event time, partition, offset), the newest first.
  case lastK(Int)
  /// Distinct values: exact up to `DistinctSet.exactLimit`, then HyperLogLog with a standard error of 1.6 %.
  case countDistinct
  /// The lower quantile of this fraction, within 1 % of the value.
  case percentile(Double)
  /// The `count` most frequent values, the most frequent first; exact while a window's tiles hold no more than
  /// `FrequencyTable.exactLimit` distinct values, then marked `approximate`.
  case topK(Int)
  /// The mean with weights that halve with every `halfLifeMilliseconds` of age.
  case ewma(halfLifeMilliseconds: Int64)
  /// Events per so many milliseconds of the time that the window covers.
  case rate(perMilliseconds: Int64)
}

extension AggregateFunction {
  /// The name as the feature syntax writes it.
  package var keyword: String {
    switch self {
    case .count: "count"
    case .sum: "sum"
    case .mean: "mean"
    case .minimum: "min"
    case .maximum: "max"
    case .variance: "variance"
    case .standardDeviation: "stddev"
    case .first: "first"
    case .last: "last"
    case .lastK: "last_k"
    case .countDistinct: "count_distinct"
    case .percentile: "percentile"
    case .topK: "topk"
    case .ewma: "ewma"
    case .rate: "rate"
    }
  }

  package static let keywords = [
    "count", "sum", "mean", "min", "max", "variance", "stddev", "first", "last", "last_k", "count_distinct",
    "percentile", "topk", "ewma", "rate",
  ]

  /// Whether the function reads a value; `count` may do without.
  var argumentIsRequired: Bool {
    switch self {
    case .count, .rate: false
    default: true
    }
  }

  /// The type of the feature for an argument of this type; nil when the function cannot take it.
  package func resultType(argument: ColumnType?) -> FeatureType? {
    guard let argument else {
      return switch self {
      case .count: FeatureType(.integer)
      case .rate: FeatureType(.double)
      default: nil
      }
    }
    let isSummable = argument.isNumeric || argument == .boolean
    return switch self {
    case .count, .countDistinct: FeatureType(.integer)
    case .sum: isSummable ? FeatureType(argument == .boolean ? .integer : argument) : nil
    case .mean, .variance, .standardDeviation, .percentile, .ewma: isSummable ? FeatureType(.double) : nil
    case .minimum, .maximum, .first, .last: FeatureType(argument)
    case .lastK, .topK: FeatureType(argument, isList: true)
    case .rate: nil
    }
  }
}

/// The type of a feature: a column type, or a list of values of it.
package struct FeatureType: Hashable, Sendable {
  package var element: ColumnType
  package var isList: Bool

  package init(_ element: ColumnType, isList: Bool = false) {
    self.element = element
    self.isList = isList
  }
}
