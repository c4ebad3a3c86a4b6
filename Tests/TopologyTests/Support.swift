import Contracts
import Core
import Foundation
import Testing

@testable import Topology

/// The repository's own files.
enum Repository {
  static let root: String = {
    "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
  }()

  static let schemas = SchemaDirectory(folder: "\(root)/schemas")

  static func text(_ path: String) throws -> String {
    try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
  }

  static func plan(_ name: String) throws -> Plan {
    try Sample.plan(try text("topologies/\(name).yaml"), file: "topologies/\(name).yaml")
  }
}

/// A small topology on the real schemas, to be broken and changed.
enum Sample {
  static let text = """
    topology: small
    sources:
      departed:
        topic: flights.departures
        key: carrier
        event_time: {field: ts, unit: ms}
        lateness: 30m
        dedupe: {by: flight_id, within: 24h}
        derive: {late: dep_delay > 15}
    entities:
      carrier: [carrier]
      route: [origin, dest]
    views:
      carriers:
        source: departed
        entity: carrier
        ttl: 3d
        features:
          flights: count over 1h, 24h
          mean_delay: mean(dep_delay) over 1h, 6h
          late_share: mean(late) over 6h
          pace: flights_1h / flights_24h
      routes:
        source: departed
        entity: route
        features: {flights: count over 24h}
    on_demand:
      against_mean: dep_delay - carriers:mean_delay_6h
    services:
      delay_v1: {features: ["carriers:*", routes:flights_24h, request:distance, against_mean], \
    defaults: {against_mean: 0}}
    """

  static func load(
    _ yaml: String, file: String = "small.yaml", frozen: [String: [String]] = [:]
  ) -> Result<Plan, TopologyErrors> {
    TopologyLoader.load(yaml: yaml, file: file, schemas: Repository.schemas, frozenServices: frozen)
  }

  static func plan(_ yaml: String = text, file: String = "small.yaml", frozen: [String: [String]] = [:]) throws -> Plan
  {
    try load(yaml, file: file, frozen: frozen).get()
  }

  /// The sample with parts exchanged; each part must be there.
  static func changed(_ changes: (String, String)...) throws -> String {
    var text = text
    for (old, new) in changes {
      try #require(text.contains(old), "the sample has no '\(old)'")
      text = text.replacing(old, with: new)
    }
    return text
  }

  /// What is wrong with a text, one line each; empty when it is a plan.
  static func errors(_ yaml: String) -> [String] {
    switch load(yaml) {
    case .success: []
    case .failure(let errors): errors.diagnostics.map(\.description)
    }
  }
}
