internal import Contracts
internal import Core

/// Takes data frames into the topics of sources: checked against the contract first, all rows or none.
struct PushHandler: Sendable {
  let catalog: ServingCatalog
  let sink: any EventSink
  let limits: ServingConfiguration.Limits
  let clock: WallClock

  struct Work {
    /// A position in the catalog.
    var source: Int
    var records: [PushedRecord]
  }

  /// Everything that can be refused without writing anything.
  func work(_ route: Route, _ body: Span<UInt8>) throws(Problem) -> Work {
    let request = try PushRequest(
      body, targetName: route == .push ? "push_source_name" : "feature_view_name", limits: limits)
    let source = try source(of: request, route)
    guard let target = catalog.sources[source].push else {
      throw Problem(
        422, "NO_PUSH", "events of \(catalog.sources[source].name) cannot be pushed: its format is not JSON",
        remedy: "write to the topic \(catalog.sources[source].topic)")
    }
    let encoder = PushEncoder(request, target: target)
    let records = try encoder.records(in: body, nowMilliseconds: clock.nowMilliseconds)
    let faults = target.check(records.map(\.value))
    guard faults.isEmpty else { throw .contractBroken(faults, source: catalog.sources[source].name) }
    return Work(source: source, records: records)
  }

  func publish(_ work: Work, timeoutMilliseconds: Int64) async throws(Problem) -> [RecordOffset] {
    do throws(HeadraceError) {
      return try await sink.publish(work.records, source: work.source, timeoutMilliseconds: timeoutMilliseconds)
    } catch {
      throw .failed(error)
    }
  }

  /// A push names a source. A write names a view, whose source it is, or a source: Feast's client turns every push
  /// into a write to the view that it knows under this name.
  private func source(of request: PushRequest, _ route: Route) throws(Problem) -> Int {
    if let source = catalog.source(named: request.target) { return source }
    guard route == .writeToOnlineStore else {
      throw Problem(
        422, "SOURCE_NOT_FOUND", "Unable to find push source '\(request.target)'.", place: "push_source_name",
        remedy: catalog.nearestSources, feast: .exception("PushSourceNotFoundException"))
    }
    guard let view = catalog.view(named: request.target) else {
      throw Problem(
        404, "VIEW_NOT_FOUND", "Feature view \(request.target) does not exist in project \(catalog.name)",
        feast: .exception("FeatureViewNotFoundException"))
    }
    return catalog.views[view].source
  }
}

extension ServingCatalog {
  fileprivate var nearestSources: String { "sources are \(sources.map(\.name).joined(separator: ", "))" }
}

extension Problem {
  /// - Parameter faults: not empty. The first ones are told in full.
  static func contractBroken(_ faults: [PushTarget.Fault], source: String) -> Problem {
    let told = faults.prefix(8).map { fault in
      BodyFault(
        type: fault.code.lowercased(), location: ["body", "df", fault.path ?? "", String(fault.row)],
        message: fault.message)
    }
    let first = faults[0]
    let place = first.path.map { "row \(first.row) \($0)" } ?? "row \(first.row)"
    return Problem(
      422, first.code, "\(faults.count) faults against the contract of \(source); \(place): \(first.message)",
      feast: .validation(told))
  }
}
