import Columns
import Contracts
import Core
import Features
import OnlineStore
import Runtime
import Synchronization

@testable import Serving

/// Features, events and status out of tables, in place of an engine.
final class FakeEngine: OnlineFeatureSource, EventSink, StatusSource {
  struct State: Sendable {
    /// (view, key) → values in the order of the view's features.
    var rows: [Int: [EntityKey: [FeatureValue]]] = [:]
    var readAt: Int64 = 1_700_000_000_000
    var watermark: Int64?
    var flags: FeatureFlags = []
    var readError: OnlineReadError?
    var waitError: OnlineReadError?
    var readTimes: [ReadTime] = []
    var waits: [[RecordOffset]] = []
    var published: [PushedRecord] = []
    var publishError: HeadraceError?
    var report = EngineReport()
    /// Runs in every read, for tests of what happens meanwhile.
    var duringRead: (@Sendable () -> Void)?
  }

  let state = Mutex(State())

  func set(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

  func put(view: Int, _ key: [Value], _ values: [FeatureValue]) {
    guard let key = EntityKey.encode(key) else { return }
    set { $0.rows[view, default: [:]][key] = values }
  }

  func read(
    view: Int, key: EntityKey, at time: ReadTime, features: [Int], into values: inout [FeatureValue]
  ) throws(OnlineReadError) -> ReadMoment {
    let (row, moment, flags, error, hook) = state.withLock { state in
      state.readTimes.append(time)
      let moment = ReadMoment(atMilliseconds: state.readAt, watermarkMilliseconds: state.watermark)
      return (state.rows[view]?[key], moment, state.flags, state.readError, state.duringRead)
    }
    hook?()
    if let error { throw error }
    values = features.map { feature in
      var value = row?[feature] ?? .notFound
      value.flags = flags
      return value
    }
    return moment
  }

  func wait(for offsets: [RecordOffset], milliseconds: Int64) async throws(OnlineReadError) {
    let error = state.withLock { state in
      state.waits.append(offsets)
      return state.waitError
    }
    if let error { throw error }
  }

  func publish(
    _ records: [PushedRecord], source: Int, timeoutMilliseconds: Int64
  ) async throws(HeadraceError) -> [RecordOffset] {
    let error = state.withLock { $0.publishError }
    if let error { throw error }
    let count = state.withLock { state in
      state.published += records
      return state.published.count
    }
    return [RecordOffset(topic: "users", partition: 0, offset: Int64(count - 1))]
  }

  func report() -> EngineReport { state.withLock { $0.report } }
}

extension FeatureValue {
  static func present(_ value: Value, at milliseconds: Int64 = 1_793_500_200_000) -> FeatureValue {
    FeatureValue(value: value, status: .present, eventTimeMilliseconds: milliseconds)
  }
}

/// Two views of two entities, a view of a pair of keys, a service, and features that are computed on demand.
enum TestCatalog {
  static func feature(_ name: String, _ type: ColumnType) -> ServingCatalog.Feature {
    .init(name: name, typeName: type.description, type: type)
  }

  static let catalog = ServingCatalog(
    name: "bench", fingerprint: "00000000000000ff",
    sources: [.init(name: "events", topic: "users", push: target), .init(name: "binary", topic: "users.avro")],
    views: [
      .init(
        name: "user_stats", entity: "user", joinKeys: [.init("user_id", .integer)],
        features: [
          feature("f0", .double), feature("f1", .double), feature("clicks_1h", .integer), feature("city", .string),
          .init(name: "last_cities", typeName: "list of string", type: nil),
        ], source: 0, ttlMilliseconds: 3_600_000),
      .init(
        name: "route_stats", entity: "route", joinKeys: [.init("origin", .string), .init("dest", .string)],
        features: [feature("delay_6h", .double), feature("f0", .double)], source: 1),
      .init(
        name: "origin_stats", entity: "origin", joinKeys: [.init("origin", .string)],
        features: [feature("flights_1h", .integer)], source: 0),
    ],
    requestFields: [.init("amount", .double)],
    onDemand: [ratio, doubled],
    services: [
      .init(
        name: "user_svc",
        features: [
          .init(name: "f0", origin: .feature(view: 0, feature: 0)),
          .init(name: "clicks_1h", origin: .feature(view: 0, feature: 2), defaultValue: .integer(0)),
          .init(name: "amount", origin: .request(0)),
          .init(name: "amount_vs_f0", origin: .onDemand(0)),
        ])
    ])

  /// amount / f0.
  static let ratio = ServingCatalog.OnDemand(
    name: "amount_vs_f0", type: .double, inputs: [.request(0), .feature(view: 0, feature: 0)],
    inputTypes: [.double, .double]
  ) { batch in
    var column = Column(.double)
    for row in 0..<batch.rowCount {
      let (left, right) = (batch.columns[0], batch.columns[1])
      guard left.isValid[row], right.isValid[row], right.doubles[row] != 0 else {
        column.appendNull()
        continue
      }
      column.append(left.doubles[row] / right.doubles[row])
    }
    return column
  }

  /// amount_vs_f0 * 2: an on-demand feature over another one.
  static let doubled = ServingCatalog.OnDemand(
    name: "doubled", type: .double, inputs: [.onDemand(0)], inputTypes: [.double]
  ) { batch in
    var column = Column(.double)
    for row in 0..<batch.rowCount {
      if batch.columns[0].isValid[row] { column.append(batch.columns[0].doubles[row] * 2) } else { column.appendNull() }
    }
    return column
  }

  /// Refuses events whose bytes hold `"bad"`.
  static let target = PushTarget(
    fields: ["user_id", "ts", "amount"], keyField: "user_id",
    eventTime: .init(name: "ts", encoding: .number(.milliseconds))
  ) { values in
    values.enumerated().compactMap { row, value in
      guard String(decoding: value, as: UTF8.self).contains("\"bad\"") else { return nil }
      return PushTarget.Fault(
        row: row, code: "WRONG_TYPE", path: "amount", message: "found a string, expected a double")
    }
  }
}
