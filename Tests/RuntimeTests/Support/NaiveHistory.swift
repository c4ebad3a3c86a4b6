import Columns
import Core
import Topology

/// The history of a view of users again, record by record, from all events that came before: by the definition of its
/// rows, without any of our state.
struct NaiveHistory {
  /// What makes a row the only one of its kind.
  struct Place: Hashable, Comparable {
    var partition: Int32
    var offset: Int64
    var user: String
    var time: Int64
    var revision: Int64

    static func < (left: Place, right: Place) -> Bool {
      (left.partition, left.offset, left.time, left.user) < (right.partition, right.offset, right.time, right.user)
    }
  }

  static let lateness: Int64 = 600_000
  /// Of windows of an hour and of six hours.
  static let hops: [Int64: Int64] = [1: 300_000, 6: 1_800_000]
  static let span: Int64 = 300_000

  private(set) var rows: [Place: [Value]] = [:]
  /// Events of a user that count so far, with their places.
  private var known: [String: [(event: Payments.Event, partition: Int32, offset: Int64)]] = [:]

  init(_ naive: NaivePayments, _ history: ViewHistory) {
    for (partition, steps) in naive.steps {
      var watermark = Int64.min
      var tiles: [Int64: [String: (isLate: Bool, hasChanged: Bool)]] = [:]
      for (offset, step) in steps.enumerated() {
        if history == .tiles, step.watermark > watermark {
          close(&tiles, partition, Int64(offset), from: watermark, to: step.watermark)
        }
        watermark = step.watermark
        guard let event = step.kept else { continue }
        known[event.user, default: []].append((event, partition, Int64(offset)))
        if history == .tiles {
          Self.touch(&tiles, event, watermark)
        } else {
          let place = Place(
            partition: partition, offset: Int64(offset), user: event.user, time: event.time,
            revision: event.time < watermark - Self.lateness ? 1 : 0)
          rows[place] = values(event.user, at: event.time, watermark)
        }
      }
    }
  }

  private static func touch(
    _ tiles: inout [Int64: [String: (isLate: Bool, hasChanged: Bool)]], _ event: Payments.Event, _ watermark: Int64
  ) {
    let end = event.time - event.time % span + span
    if end > watermark {
      tiles[end, default: [:]][event.user] = tiles[end]?[event.user] ?? (false, false)
      return
    }
    if end > watermark - lateness, tiles[end]?[event.user] == nil {
      tiles[end, default: [:]][event.user] = (true, true)
    }
    for other in tiles.keys where other >= end && other <= watermark && other > watermark - lateness {
      tiles[other]?[event.user]?.hasChanged = true
    }
  }

  private mutating func close(
    _ tiles: inout [Int64: [String: (isLate: Bool, hasChanged: Bool)]], _ partition: Int32, _ offset: Int64,
    from before: Int64, to after: Int64
  ) {
    for (end, users) in tiles {
      let isFinal = end <= after - Self.lateness
      for (user, marks) in users {
        var revision: Int64?
        if end > before, end <= after {
          revision = marks.isLate ? nil : 0
        } else if isFinal, end <= before, marks.hasChanged {
          revision = marks.isLate ? 0 : 1
        }
        guard let revision else { continue }
        let place = Place(partition: partition, offset: offset, user: user, time: end - 1, revision: revision)
        rows[place] = values(user, at: end - 1, before)
      }
      if isFinal { tiles[end] = nil }
    }
  }

  /// `n_1h n_6h total_1h total_6h largest_6h newest_6h`, as an online read answers them at a watermark; null for what
  /// is not kept for that time.
  private func values(_ user: String, at time: Int64, _ watermark: Int64) -> [Value] {
    let hour = window(1, user, at: time, watermark)
    let six = window(6, user, at: time, watermark)
    return [hour.count, six.count, hour.total, six.total, six.largest, six.newest]
  }

  private func window(
    _ hours: Int64, _ user: String, at time: Int64, _ watermark: Int64
  ) -> (count: Value, total: Value, largest: Value, newest: Value) {
    let hop = Self.hops[hours] ?? 1
    let tile = time - time % hop
    let oldest = watermark - Self.lateness
    guard watermark == .min || tile + hop > oldest - oldest % hop else { return (.null, .null, .null, .null) }
    // The tile of the time counts as a whole.
    let found = (known[user] ?? []).filter { item in
      item.event.time >= tile - hours * 3_600_000 && item.event.time < tile + hop
    }
    let newest = found.max { ($0.event.time, $0.partition, $0.offset) < ($1.event.time, $1.partition, $1.offset) }
    let amounts = found.map(\.event.amount)
    return (
      .integer(Int64(amounts.count)), amounts.isEmpty ? .null : .double(NaivePayments.exactSum(amounts)),
      amounts.max().map { .double($0) } ?? .null, newest.map { .double($0.event.amount) } ?? .null
    )
  }
}
