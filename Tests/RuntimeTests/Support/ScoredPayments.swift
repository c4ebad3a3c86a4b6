import Columns
import Core
import Features
import Glibc
import Inference
import Kafka
import OnlineStore
import Topology

@testable import Runtime

/// Payments with a model, and its predictions again: event by event, row by row, without batches, stores or restarts.
enum ScoredPayments {
  /// Six LightGBM trees over the service's seven features.
  static let modelText: [UInt8] = {
    let folder = "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
    return (try? ModelFiles.read("\(folder)/Models/payments.txt")) ?? []
  }()

  static let sections = """
      by_user_large:
        source: payments
        entity: user
        filter: amount > 5000
        features: {large: count over 6h}
    on_demand:
      share: amount / by_user:total_6h
    services:
      payments_v1:
        features: ["by_user:n_1h", "by_user:total_1h", "by_user:largest_6h", "by_user:newest_6h",
          "by_user_large:large_6h", "request:amount", share]
        defaults: {large_6h: -1}
    models:
      fraud: {service: payments_v1, each: payments, file: model.txt, output: pay.predictions, threshold: 0.5,
        features: full}
    """

  /// Writes the model beside a topology file in `folder`, and reads both.
  ///
  /// - Parameter use: the keys that take the place of `file`.
  static func plan(
    _ folder: String, model: [UInt8] = modelText, moreSections: String = "", use: String = "file: model.txt",
    views: String = Payments.views
  ) throws -> Plan {
    try write(named(model), to: "\(folder)/model.txt")
    let base = try Payments.plan(views).document
    let yaml = "\(base.topology)\n\(sections.replacing("file: model.txt", with: use))\n\(moreSections)"
    let schemas = SchemaDirectory(texts: ["payments": Payments.schema])
    switch TopologyLoader.load(yaml: yaml, file: "\(folder)/pay.yaml", schemas: schemas) {
    case .success(let plan): return plan
    case .failure(let errors): throw HeadraceError(.user, "TOPOLOGY", "\(errors)")
    }
  }

  /// A model's text with the service's names for its columns.
  static func named(_ model: [UInt8]) -> [UInt8] {
    let text = String(decoding: model, as: UTF8.self).replacing(
      "n_1h total_1h largest_6h newest_6h n_6h amount share",
      with: "n_1h total_1h largest_6h newest_6h large_6h amount share")
    return Array(text.utf8)
  }

  static func write(_ bytes: [UInt8], to path: String) throws {
    guard let file = unsafe fopen(path, "we") else { throw HeadraceError(.external, "FOPEN", path) }
    defer { unsafe fclose(file) }
    guard unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count else {
      throw HeadraceError(.external, "FWRITE", path)
    }
  }

  struct Prediction: Equatable {
    var vector: [Float]
    var score: Double
  }

  /// What must be predicted, by `payments/partition@offset`.
  ///
  /// - Parameter model: the model's text; nil for the file of the plan.
  static func expected(
    _ log: [Int32: [Payments.Event]], _ plan: Plan, model: [UInt8]? = nil
  ) throws -> [String: Prediction] {
    let naive = NaivePayments(log, plan: plan)
    let kept = Set(naive.positions.map { "\($0.partition)@\($0.offset)" })
    let reference = ReferenceScorer(
      try model.map { try Model($0, place: "model") }
        ?? ModelFiles(besideTopology: plan.document.file).load("model.txt").model)
    var found: [String: Prediction] = [:]
    for (partition, events) in log {
      var users: [String: UserRow] = [:]
      var large: [String: UserRow] = [:]
      var watermark = Int64.min
      for (offset, event) in events.enumerated() {
        guard event.broken == nil, event.time - event.known <= 300_000 else { continue }
        watermark = max(watermark, min(event.time, event.known))
        guard kept.contains("\(partition)@\(offset)") else { continue }
        let moment = Moment(position: .init(partition: partition, offset: Int64(offset)), watermark: watermark)
        let user = try features(
          plan, "by_user", &users, event, moment, ["n_1h", "total_1h", "largest_6h", "newest_6h", "total_6h"])
        let largest = try features(plan, "by_user_large", &large, event, moment, ["large_6h"], if: event.amount > 5_000)
        let share = user[4].map { event.amount / $0 }
        let values: [Double?] = Array(user[..<4]) + [largest[0] ?? -1, event.amount, share]
        let vector = values.map { Float($0 ?? .nan) }
        found["payments/\(partition)@\(offset)"] = Prediction(vector: vector, score: reference.score(vector)[0])
      }
    }
    return found
  }

  private final class UserRow {
    var row: FeatureRow

    init(_ layout: ViewLayout) { row = FeatureRow(layout) }
  }

  private struct Moment {
    var position: EventPosition
    var watermark: Int64
  }

  /// Applies an event to the row of its user, unless it is not one of the view's, and reads features then.
  private static func features(
    _ plan: Plan, _ view: String, _ rows: inout [String: UserRow], _ event: Payments.Event, _ moment: Moment,
    _ names: [String], if isTaken: Bool = true
  ) throws -> [Double?] {
    guard let index = plan.view(named: view) else { throw HeadraceError(.internal, "NO_VIEW", view) }
    let layout = plan.views[index].layout
    let features = names.compactMap { plan.views[index].feature(named: $0) }
    let isLate =
      event.time < moment.watermark - 600_000
      && layout.ring(eventTime: event.time, watermark: moment.watermark) == .late
    if isTaken, !isLate {
      var events = EventBlock(layout)
      let inputs = plan.views[index].inputs.map { _ in
        var column = Column(.double)
        column.append(event.amount)
        return column
      }
      events.load(inputs, rowCount: 1)
      let user = rows[event.user] ?? UserRow(layout)
      rows[event.user] = user
      layout.apply(
        &user.row, events: events, index: 0, eventTime: event.time, position: moment.position,
        watermark: moment.watermark)
    }
    guard let user = rows[event.user] else { return names.map { _ in nil } }
    var values: [FeatureValue] = []
    layout.read(user.row, at: event.time, watermark: moment.watermark, features: features, into: &values)
    return values.map(\.value.number)
  }
}
