internal import Columns
package import Core
package import Features
internal import Glibc
internal import Rocks

/// Estimates state by making some of it: events of a few hundred keys go through the engine into a store in a scratch
/// folder, which is compacted and weighed. Tiles, growth, compression, indexes and filters are the real ones; what is
/// made up are the events: times at random (Poisson), amounts of a log-normal law with two decimals, texts of eight
/// bytes out of a hundred thousand (fewer would make distinct counts of busy keys look small).
package struct StateSample {
  private static let mostKeys = 1_024
  private static let leastKeys = 64
  /// Of one key: enough to have an event in nearly all of the tiles that a window may have.
  private static let mostEventsOfKey = 16_384.0
  private static let mostEvents = 500_000.0
  /// How far back the history of a view goes whose rows never end.
  private static let endlessMilliseconds: Int64 = 30 * 86_400_000
  private static let nowMilliseconds: Int64 = 1_700_000_000_000
  private static let seed: UInt64 = 7

  let layout: ViewLayout
  let population: KeyPopulation
  /// How long rows stay after their last event.
  private let horizonMilliseconds: Int64
  private let rates: [Double]

  private init(_ layout: ViewLayout, _ population: KeyPopulation) {
    self.layout = layout
    self.population = population
    let deleted = layout.deletionHorizon(at: Self.nowMilliseconds)
    let horizon = deleted.map { Self.nowMilliseconds - $0 } ?? Self.endlessMilliseconds
    horizonMilliseconds = horizon
    func events(_ rates: [Double]) -> Double {
      rates.reduce(0) { $0 + min($1 * Double(2 * horizon) / 3_600_000, Self.mostEventsOfKey) }
    }
    var size = Self.mostKeys
    while size > Self.leastKeys, events(population.rates(ofSample: size)) > Self.mostEvents { size /= 2 }
    rates = population.rates(ofSample: size)
  }

  /// What the rows of a view take once its windows have filled.
  ///
  /// - Throws: when the scratch folder cannot be written.
  package static func estimate(_ layout: ViewLayout, _ population: KeyPopulation) throws(HeadraceError) -> StateEstimate
  {
    try StateSample(layout, population).weigh()
  }

  /// What the ids of a source take that are remembered for so long.
  package static func estimate(
    idsWithinMilliseconds within: Int64, eventsPerHour: Double
  ) throws(HeadraceError) -> StateEstimate {
    let folder = try ScratchFolder(prefix: "headrace-plan")
    let store = try TaskStore(path: folder.path)
    defer { store.close() }
    let empty = try store.compactedBytes()
    let table = try store.dedupeTable(source: "sample", withinMilliseconds: .max)
    let sample = 20_000
    var ids = EntityKeys()
    var headers = EventHeaders(partition: 0)
    for number in 0..<sample {
      ids.append(EntityKey(bytes: Array("id-\(number)".utf8)))
      headers.append(
        offset: Int64(number), eventTimeMilliseconds: nowMilliseconds + Int64(number),
        watermarkMilliseconds: nowMilliseconds)
    }
    var isDuplicate = [Bool](repeating: false, count: sample)
    try table.check(ids: ids, rows: Array(0..<sample), headers: headers, isDuplicate: &isDuplicate)
    let count = eventsPerHour * Double(within) / 3_600_000
    // Two generations, each at most two thirds full.
    let memory = min(2 * count * Double(table.memoryBytes) / Double(sample), Double(store.options.dedupeBudgetBytes))
    try store.checkpoint(meta: [])
    let disk = Double(try store.compactedBytes() - empty) / Double(sample)
    return StateEstimate(
      rows: Int(clamping: count), memoryBytes: Int(clamping: memory), diskBytes: Int(clamping: count * disk))
  }
}

extension StateSample {
  private struct Event {
    var time: Int64
    var key: Int
  }

  private func weigh() throws(HeadraceError) -> StateEstimate {
    var random = SplitMix64(seed: Self.seed)
    let events = events(&random)
    let live = Set(events.lazy.filter { $0.time >= Self.nowMilliseconds - horizonMilliseconds }.map(\.key))
    guard !live.isEmpty else { return StateEstimate(rows: 0, memoryBytes: 0, diskBytes: 0) }

    let folder = try ScratchFolder(prefix: "headrace-plan")
    var options = StoreOptions()
    options.memoryBudgetBytes = .max
    let store = try TaskStore(path: folder.path, options: options)
    defer { store.close() }
    let empty = try store.compactedBytes()
    let view = try store.namespace(for: layout).view
    try apply(events.filter { live.contains($0.key) }, to: store, view, &random)
    let memory = Double(try store.statistics().memoryBytes)
    try store.checkpoint(meta: [])
    let disk = Double(try store.compactedBytes() - empty)
    let scale = Double(population.count) / Double(rates.count)
    return StateEstimate(
      rows: Int(clamping: Double(live.count) * scale), memoryBytes: Int(clamping: memory * scale),
      diskBytes: Int(clamping: disk * scale))
  }

  /// Of all keys in the order of their times.
  private func events(_ random: inout SplitMix64) -> [Event] {
    var events: [Event] = []
    let span = Double(2 * horizonMilliseconds)
    for (key, rate) in rates.enumerated() {
      let pause = span / min(rate * span / 3_600_000, Self.mostEventsOfKey)
      var time = Double.exponential(&random) * pause
      while time < span {
        events.append(Event(time: Self.nowMilliseconds - Int64(span - time), key: key))
        time += Double.exponential(&random) * pause
      }
    }
    return events.sorted { ($0.time, $0.key) < ($1.time, $1.key) }
  }

  private func apply(
    _ events: [Event], to store: TaskStore, _ view: Int, _ random: inout SplitMix64
  ) throws(HeadraceError) {
    var keys = EntityKeys()
    var headers = EventHeaders(partition: 0)
    var inputs = layout.definition.inputs.map { Column($0.type) }
    // Offsets rise as the events of all keys do.
    let offsetsPerMillisecond = population.eventsPerHour * Double(population.count) / 3_600_000
    for (index, event) in events.enumerated() {
      keys.append(Self.key(event.key))
      let age = Double(event.time - events[0].time)
      headers.append(
        offset: Int64(clamping: age * offsetsPerMillisecond) + Int64(index), eventTimeMilliseconds: event.time,
        watermarkMilliseconds: event.time)
      for column in inputs.indices { inputs[column].appendSample(at: event.time, &random) }
      guard keys.count == 4_096 || index == events.count - 1 else { continue }
      try store.apply(
        view: view, keys: keys, inputs: inputs, rows: Array(0..<keys.count), headers: headers)
      keys.removeAll()
      headers.removeAll()
      for column in inputs.indices { inputs[column].removeAll() }
    }
  }

  /// Eight bytes, spread as hashes are, so that sorting by key does not sort by how busy a key is.
  private static func key(_ number: Int) -> EntityKey {
    var random = SplitMix64(seed: UInt64(number))
    let digits = String(random.next() % 10_000_000)
    return EntityKey(bytes: Array(("u" + String(repeating: "0", count: 7 - digits.utf8.count) + digits).utf8))
  }
}

extension TaskStore {
  /// The size of its files when nothing is in them twice.
  fileprivate func compactedBytes() throws(HeadraceError) -> Int {
    try database.flush()
    for family in [StoreFamily.meta, StoreFamily.rows, StoreFamily.dedupe] {
      try database.compact(from: [], to: [0xff, 0xff, 0xff, 0xff, 0xff], in: family)
    }
    return Int(clamping: try database.statistics().fileBytes)
  }
}

extension Column {
  fileprivate mutating func appendSample(at time: Int64, _ random: inout SplitMix64) {
    switch type {
    case .boolean: append(random.next() & 1 == 0)
    case .integer: append(Int64(random.next() % 1_000))
    case .double: append(Double.sampleAmount(&random))
    case .timestamp: append(time * 1_000)
    case .date: append(time / 86_400_000)
    case .string, .bytes:
      let number = String(random.next() % 100_000)
      append("tx-" + String(repeating: "0", count: 5 - number.utf8.count) + number)
    case .decimal(let scale):
      append(Int128(Double.sampleAmount(&random)) * (0..<scale).reduce(1) { power, _ in power * 10 })
    }
  }
}

extension Double {
  /// Of a law with mean 1: the pauses between events at random times.
  fileprivate static func exponential(_ random: inout SplitMix64) -> Double {
    -log(Double(random.next() >> 11) * 0x1p-53 + 0x1p-54)
  }

  /// Around 20, with a long tail and two decimals.
  fileprivate static func sampleAmount(_ random: inout SplitMix64) -> Double {
    let (radius, angle) = ((2 * exponential(&random)).squareRoot(), Double(random.next() >> 11) * 0x1p-53)
    return (exp(3 + radius * cos(2 * .pi * angle)) * 100).rounded() / 100
  }
}

extension Int {
  fileprivate init(clamping value: Double) { self = value < 9e18 ? Int(value < 0 ? 0 : value) : .max }
}

extension Int64 {
  fileprivate init(clamping value: Double) { self = value < 9e18 ? Int64(value < 0 ? 0 : value) : .max }
}
