import Columns

@testable import Features

/// What features are by their definition: keeps every event, knows no tiles, and computes from scratch at every read.
struct NaiveView {
  let definition: ViewDefinition
  /// In the order of events.
  private(set) var ordered: [TestEvent] = []

  init(_ definition: ViewDefinition) { self.definition = definition }

  mutating func append(_ events: [TestEvent]) { ordered = (ordered + events).sorted { $0.order < $1.order } }

  /// The events of a window, in the order of events.
  ///
  /// - Parameter tile: the granularity of the head, for reads in the past.
  func events(_ window: Window, at time: Int64, tile: Int64) -> [TestEvent] {
    switch window {
    case .sliding(let length, let hop):
      let end = Self.floor(time, tile) + tile
      return ordered.filter { $0.time >= Self.floor(time, hop) - length && $0.time < end }
    case .tumbling(let length):
      let end = Self.floor(time, length)
      return ordered.filter { $0.time >= end - length && $0.time < end }
    case .lifetime: return ordered
    case .lastEvents(let count): return Array(ordered.filter { $0.time <= time }.suffix(count))
    case .session(let gap): return session(ordered, gap, time)
    }
  }

  private func session(_ ordered: [TestEvent], _ gap: Int64, _ time: Int64) -> [TestEvent] {
    var current: [TestEvent] = []
    for event in ordered
    where event.watermark == .min || event.time >= event.watermark - definition.latenessMilliseconds {
      if let last = current.last, event.time - last.time > gap {
        if event.time > time { break }
        current = []
      }
      if current.isEmpty, event.time > time { break }
      current.append(event)
    }
    guard let last = current.last, time - last.time <= gap else { return [] }
    return current
  }

  static func floor(_ time: Int64, _ step: Int64) -> Int64 {
    let remainder = time % step
    return time - (remainder < 0 ? remainder + step : remainder)
  }
}

// Aggregates of a handful of events.
extension NaiveView {
  /// - Parameter events: of the feature's window.
  func value(_ feature: FeatureDefinition, of events: [TestEvent], at time: Int64) -> Value {
    var chosen = events
    if let filter = feature.filter { chosen = chosen.filter { $0.values[filter] == .boolean(true) } }
    guard let argument = feature.argument else {
      if case .rate(let unit) = feature.function { return .double(rate(chosen.count, feature.window, unit, time)) }
      return .integer(Int64(chosen.count))
    }
    chosen = chosen.filter { $0.values[argument] != .null }
    let values = chosen.map { $0.values[argument] }
    switch feature.function {
    case .count: return .integer(Int64(values.count))
    case .countDistinct: return .integer(Int64(Set(values).count))
    default: break
    }
    guard let last = values.last else { return .null }
    switch feature.function {
    case .sum: return sum(values)
    case .mean: return .double(mean(values))
    case .minimum: return values.reduce(last) { Self.precedes($1, $0) ? $1 : $0 }
    case .maximum: return values.reduce(last) { Self.precedes($0, $1) ? $1 : $0 }
    case .first: return values[0]
    case .last: return last
    case .lastK(let count): return .list(values.suffix(count).reversed())
    case .topK(let count): return .list(mostFrequent(values, count))
    default: return approximation(feature.function, chosen.map { ($0.time, $0.values[argument].number ?? .nan) }, time)
    }
  }

  /// What is only nearly the same as the engine's figure.
  private func approximation(_ function: AggregateFunction, _ values: [(time: Int64, number: Double)], _ time: Int64)
    -> Value
  {
    let count = Double(values.count)
    switch function {
    case .variance, .standardDeviation:
      guard values.count > 1 else { return .null }
      // Relative to one of them: what all have in common does not round.
      let mean = values[0].number + values.reduce(0) { $0 + ($1.number - values[0].number) / count }
      let variance = values.reduce(0) { $0 + ($1.number - mean) * ($1.number - mean) } / (count - 1)
      return .double(function == .variance ? variance : variance.squareRoot())
    case .percentile(let fraction):
      let sorted = values.map(\.number).sorted()
      return .double(sorted[Int((fraction * (count - 1)).rounded(.down))])
    case .ewma(let halfLife):
      guard let newest = values.last?.time else { return .null }
      let weights = values.map { DecayOracle.weight(Double(newest - $0.time) / Double(halfLife)) }
      let sum = zip(weights, values).reduce(0) { $0 + $1.0 * $1.1.number }
      return .double(sum / weights.reduce(0, +))
    default: return .null
    }
  }

  private func sum(_ values: [Value]) -> Value {
    switch values[0] {
    case .double: return .double(exactSum(values))
    case .decimal(_, let scale): return .decimal(unscaled: integers(values), scale: scale)
    default: return Int64(exactly: integers(values)).map { .integer($0) } ?? .null
    }
  }

  private func mean(_ values: [Value]) -> Double {
    let count = Double(values.count)
    switch values[0] {
    case .double: return exactSum(values) / count
    case .decimal(_, let scale): return Double(integers(values)) / (count * (scale == 2 ? 100 : 1))
    default: return Double(integers(values)) / count
    }
  }

  private func exactSum(_ values: [Value]) -> Double {
    var sum = ExactSumOracle()
    for case .double(let value) in values { sum.add(value) }
    return sum.rounded
  }

  private func integers(_ values: [Value]) -> Int128 {
    values.reduce(0) { sum, value in
      switch value {
      case .integer(let value): sum + Int128(value)
      case .boolean(let value): sum + (value ? 1 : 0)
      case .decimal(let unscaled, _): sum + unscaled
      default: sum
      }
    }
  }

  private func mostFrequent(_ values: [Value], _ count: Int) -> [Value] {
    // -0 and 0 are one value here; which of the two is shown is not promised.
    var counts: [Value: Int] = [:]
    for value in values { counts[value, default: 0] += 1 }
    let sorted = counts.sorted { $0.value != $1.value ? $0.value > $1.value : Self.precedes($0.key, $1.key) }
    return sorted.prefix(count).map(\.key)
  }

  private func rate(_ count: Int, _ window: Window, _ unit: Int64, _ time: Int64) -> Double {
    switch window {
    case .sliding(let length, let hop):
      Double(count) * Double(unit) / Double(time - (Self.floor(time, hop) - length))
    default: Double(count) * Double(unit) / Double(window.length)
    }
  }

  static func precedes(_ left: Value, _ right: Value) -> Bool {
    switch (left, right) {
    case (.double(let left), .double(let right)):
      left < right || left == right && left.sign == .minus && right.sign == .plus
    case (.integer(let left), .integer(let right)): left < right
    case (.boolean(let left), .boolean(let right)): !left && right
    case (.decimal(let left, _), .decimal(let right, _)): left < right
    case (.string(let left), .string(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
    default: false
    }
  }
}

/// 2^-x by repeated square roots.
enum DecayOracle {
  static func weight(_ halfLives: Double) -> Double {
    var (result, factor, rest) = (1.0, 0.5, halfLives)
    while rest >= 1 {
      result *= 0.5
      rest -= 1
    }
    for _ in 0..<60 {
      factor = factor.squareRoot()
      rest *= 2
      if rest >= 1 {
        result *= factor
        rest -= 1
      }
    }
    return result
  }
}
