import Core
import Features
import Kafka
import OnlineStore
import Topology

@testable import Runtime

/// A small topology with everything in it that the runtime has to decide about, and events for it.
enum Payments {
  static let schema = """
    {"type": "record", "name": "Payment", "fields": [
      {"name": "event_id", "type": "string"}, {"name": "user", "type": "string"}, {"name": "shop", "type": "string"},
      {"name": "amount", "type": "double"}, {"name": "ts", "type": "long"}]}
    """

  static let views = """
      by_user:
        source: payments
        entity: user
        features:
          n: count over 1h, 6h
          total: sum(amount) over 1h, 6h
          largest: max(amount) over 6h
          newest: last(amount) over 6h
    """

  static let byShop = """
      by_shop:
        source: payments
        entity: shop
        features:
          n: count over 1h
          total: sum(amount) over 6h
          newest: last(amount) over 6h
    """

  static func plan(_ views: String..., options: String = "dedupe: {by: event_id, within: 24h}") throws -> Plan {
    let yaml = """
      topology: pay
      sources:
        payments:
          topic: payments
          key: user
          event_time: {field: ts, unit: ms}
          lateness: 10m
          filter: amount >= 0
          derive: {euros: amount / 100}
          \(options)
      entities:
        user: [user]
        shop: [shop]
      views:
      \(views.joined(separator: "\n"))
      """
    switch TopologyLoader.load(yaml: yaml, file: "pay.yaml", schemas: SchemaDirectory(texts: ["payments": schema])) {
    case .success(let plan): return plan
    case .failure(let errors): throw HeadraceError(.user, "TOPOLOGY", "\(errors)")
    }
  }

  /// One record as it is written.
  struct Event: Sendable {
    var id: String
    var user: String
    var shop: String
    var amount: Double
    var time: Int64
    var known: Int64
    /// Takes the place of the JSON.
    var broken: String?

    var value: String {
      broken
        ?? #"{"event_id":"\#(id)","user":"\#(user)","shop":"\#(shop)","amount":\#(amount),"ts":\#(time)}"#
    }
  }

  static let start: Int64 = 1_700_000_000_000

  /// Events in the order of their arrival: some come twice, some late, some far too late, some from the future, some
  /// are no JSON, some are filtered.
  static func events(_ count: Int, seed: UInt64, users: UInt64 = 37) -> [Event] {
    var random = SplitMix64(seed: seed)
    var events: [Event] = []
    for index in 0..<count {
      // Eight hours in all.
      let known = start + Int64(index) * (8 * 3_600_000) / Int64(count)
      var event = Event(
        id: "e\(index)", user: "u\(random.next() % users)", shop: "s\(random.next() % 11)",
        amount: Double(random.next() % 100_000) / 7, time: known - Int64(random.next() % 60_000), known: known)
      switch random.next() % 40 {
      case 0: event.time -= Int64(random.next() % (3 * 3_600_000))
      case 1: event.time -= Int64(random.next() % (30 * 3_600_000))
      case 2: event.time += 400_000
      case 3: event.broken = "{\"event_id\": \"x"
      case 4: event.amount = -1
      case 5, 6:
        if let other = events.randomElement(using: &random), other.broken == nil {
          event.id = other.id
          event.user = other.user
        }
      default: break
      }
      events.append(event)
    }
    return events
  }

  /// Writes events to their partitions.
  static func publish(_ events: some Collection<Event>, partitions: Int32, _ client: ClientConfiguration) throws {
    let producer = try Producer(ProducerConfiguration(client: client))
    var batch = ProduceBatch(topic: "payments", partitioner: .murmur2, partitionCount: partitions)
    for event in events {
      try batch.append(key: event.user, value: event.value, timestampMilliseconds: event.known)
    }
    try producer.send(batch)
    try producer.flush(timeoutMilliseconds: 20_000)
    producer.close()
  }
}

/// The features again, from the records of the log, by the rules of DESIGN section 3 and without any of our state.
struct NaivePayments {
  var kept: [Payments.Event] = []
  var positions: [(partition: Int32, offset: Int64)] = []
  var counts = OutcomeCounts()
  /// By partition and offset: the watermark with a record, and the event if it counts.
  var steps: [Int32: [(watermark: Int64, kept: Payments.Event?)]] = [:]

  /// - Parameter log: the events of each partition, in order.
  init(_ log: [Int32: [Payments.Event]], plan: Plan) {
    for (partition, events) in log.sorted(by: { $0.key < $1.key }) {
      var watermark = Int64.min
      var seen: [String: Int64] = [:]
      for (offset, event) in events.enumerated() {
        counts.read += 1
        let keptBefore = kept.count
        defer { steps[partition, default: []].append((watermark, kept.count > keptBefore ? event : nil)) }
        guard event.broken == nil, event.time - event.known <= 300_000 else {
          counts.deadLettered += 1
          continue
        }
        watermark = max(watermark, min(event.time, event.known))
        guard event.amount >= 0 else {
          counts.filtered += 1
          continue
        }
        if plan.sources[0].dedupe != nil {
          if let first = seen[event.id], first >= watermark - 24 * 3_600_000 {
            counts.deduplicated += 1
            continue
          }
          seen[event.id] = event.time
        }
        if event.time < watermark - 600_000 {
          let ring = plan.views.map { $0.layout.ring(eventTime: event.time, watermark: watermark) }.max() ?? .late
          guard ring != .late else {
            counts.late += 1
            continue
          }
          counts.repaired += 1
        } else {
          counts.applied += 1
        }
        kept.append(event)
        positions.append((partition, Int64(offset)))
      }
    }
  }

  /// Count, sum, maximum and newest amount of the events of a window of so many hours, read at `time`.
  func read(hours: Int64, at time: Int64, _ isOf: (Payments.Event) -> Bool) -> (Int64, Double?, Double?, Double?) {
    let length = hours * 3_600_000
    let hop: Int64 = hours == 1 ? 300_000 : 1_800_000
    let start = time - time % hop - length
    var found: [(Payments.Event, Int32, Int64)] = []
    for (event, position) in zip(kept, positions) where isOf(event) && event.time >= start && event.time <= time {
      found.append((event, position.partition, position.offset))
    }
    let newest = found.max { ($0.0.time, $0.1, $0.2) < ($1.0.time, $1.1, $1.2) }
    let amounts = found.map(\.0.amount)
    return (
      Int64(amounts.count), amounts.isEmpty ? nil : Self.exactSum(amounts), amounts.max(), newest?.0.amount
    )
  }

  /// Shewchuk's sum, rounded once.
  static func exactSum(_ values: [Double]) -> Double {
    var partials: [Double] = []
    for value in values {
      var x = value
      var kept: [Double] = []
      for var y in partials {
        if abs(x) < abs(y) { swap(&x, &y) }
        let high = x + y
        let low = y - (high - x)
        if low != 0 { kept.append(low) }
        x = high
      }
      partials = kept + [x]
    }
    // Round half even over the remaining partials, as `math.fsum` does.
    guard var high = partials.popLast() else { return 0 }
    var low = 0.0
    while let next = partials.popLast() {
      let x = high
      high = x + next
      low = next - (high - x)
      if low != 0 { break }
    }
    if let last = partials.last, (low < 0 && last < 0) || (low > 0 && last > 0) {
      let y = low * 2
      let x = high + y
      if y == x - high { high = x }
    }
    return high
  }
}
