import Columns
import Foundation
import NIOCore
import OfflineStore
import Runtime
import Testing

@testable import Serving

@Suite(.serialized) struct StatusTests {
  private static let report = EngineReport(
    tasks: [
      .init(
        partition: 0, state: .running, isReadable: true,
        inputs: [
          .init(topic: "users", partition: 0, position: 90, stateOffset: 80, committedOffset: 90, endOffset: 100)
        ], watermarkMilliseconds: 1_793_498_400_000, lagMilliseconds: 1_500, checkpointAgeMilliseconds: 4_000,
        checkpointBytes: 77),
      .init(partition: 1, state: .restoring, isReadable: false, whyNotMoving: "the broker does not answer"),
    ],
    sources: [
      .init(
        name: "events", topic: "users", read: 100, applied: 80, repaired: 5, filtered: 4, deduplicated: 3, late: 2,
        deadLettered: 6, misplaced: 1)
    ], startedMilliseconds: 1_793_498_000_000,
    tables: [
      .init(
        name: "features/user_stats", waitingRows: 7, oldestWaitingMilliseconds: 2_500, publishedRows: 30, failures: 2,
        lastFailure: "the store does not answer")
    ])

  private func json(_ text: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func `tasks tell how far they are`() async throws {
    try await withServer { server, engine in
      engine.set { $0.report = Self.report }
      let socket = try await HTTPSocket(port: server.port)
      let tasks = try #require(try json(try await socket.get("/api/tasks").body)["tasks"] as? [[String: Any]])
      #expect(tasks.count == 2)
      let tables = try #require(try json(try await socket.get("/api/tasks").body)["tables"] as? [[String: Any]])
      #expect(tables[0]["waiting_rows"] as? Int == 7 && tables[0]["oldest_waiting_ms"] as? Int == 2_500)
      #expect(tables[0]["failures"] as? Int == 2)
      #expect(tables[0]["last_failure"] as? String == "the store does not answer")
      let metrics = try await socket.get("/metrics").body
      #expect(metrics.contains("headrace_table_waiting_rows{table=\"features/user_stats\"} 7\n"))
      #expect(metrics.contains("headrace_table_commit_lag_seconds{table=\"features/user_stats\"} 2.5\n"))
      #expect(metrics.contains("headrace_table_failures_total{table=\"features/user_stats\"} 2\n"))
      #expect(tasks[0]["lag_seconds"] as? Double == 1.5)
      #expect(tasks[0]["watermark"] as? String == "2026-11-01T02:00:00Z")
      #expect((tasks[0]["inputs"] as? [[String: Any]])?[0]["lag_records"] as? Int == 10)
      #expect(tasks[1]["why_not_moving"] as? String == "the broker does not answer")
      let views = try #require(try json(try await socket.get("/api/views").body)["views"] as? [[String: Any]])
      #expect(views.map { $0["name"] as? String } == ["user_stats", "route_stats", "origin_stats"])
      let topology = try json(try await socket.get("/api/topology").body)
      #expect(topology["topology"] as? String == "bench")
      let onDemand = try #require(topology["on_demand"] as? [[String: Any]])
      #expect(onDemand[0]["inputs"] as? [String] == ["request:amount", "user_stats:f0"])
    }
  }

  @Test func `mismatches of served values are counted by feature and cause`() async throws {
    try await withServer { server, engine in
      let socket = try await HTTPSocket(port: server.port)
      #expect(try json(try await socket.get("/api/parity").body)["sampling"] as? Bool == false)
      var parity = ParityStatus()
      let feature = ParityReport.Feature(view: "user_stats", name: "f0")
      parity.checked[feature] = 12
      parity.mismatches[.init(feature: feature, cause: .code)] = 2
      engine.set { [parity] in $0.report.parity = parity }
      let answer = try json(try await socket.get("/api/parity").body)
      let features = try #require(answer["features"] as? [[String: Any]])
      #expect(features[0]["checked"] as? Int == 12)
      #expect((features[0]["mismatches"] as? [[String: Any]])?[0]["cause"] as? String == "code")
      let metrics = try await socket.get("/metrics").body
      #expect(
        metrics.contains(
          "headrace_feature_skew_mismatch_total{view=\"user_stats\",feature=\"f0\",cause=\"code\"} 2"))
      #expect(metrics.contains("headrace_feature_skew_checked_total{view=\"user_stats\",feature=\"f0\"} 12"))
    }
  }

  @Test func `ready is who can prove that it moves`() async throws {
    try await withServer { server, engine in
      let socket = try await HTTPSocket(port: server.port)
      #expect(try await socket.get("/readyz").status == 200)
      engine.set { $0.report = Self.report }
      let unready = try await socket.get("/readyz")
      #expect(unready.status == 503 && unready.headers["retry-after"] == "1")
      #expect(unready.body.contains("the broker does not answer"))
      #expect(try await socket.get("/health").status == 503)
      #expect(try await socket.get("/livez").status == 200)
    }
  }

  @Test func `the document names every address, and no other`() throws {
    let document = try json(OpenAPIDocument.text)
    #expect(document["openapi"] as? String == "3.1.0")
    let paths = try #require(document["paths"] as? [String: [String: Any]])
    #expect(
      Set(paths.keys)
        == Set(
          Route.allCases.map(\.path) + InferenceRoute.templates.map(\.path) + RegistryRoute.templates.map(\.path)
            + InsightRoute.templates.map(\.path)))
    for (path, isPost) in InferenceRoute.templates {
      #expect(paths[path]?.keys.filter { $0 != "parameters" } == [isPost ? "post" : "get"], "\(path)")
      let route = try #require(InferenceRoute(path: path))
      #expect(route.isPost == isPost)
    }
    for (path, isPost) in RegistryRoute.templates {
      #expect(paths[path]?.keys.filter { $0 != "parameters" } == [isPost ? "post" : "get"], "\(path)")
      #expect(try #require(RegistryRoute(path: path)).isPost == isPost)
    }
    for (path, isPost) in InsightRoute.templates {
      #expect(paths[path]?.keys.filter { $0 != "parameters" } == [isPost ? "post" : "get"], "\(path)")
      #expect(try #require(InsightRoute(path: path)).isPost == isPost)
    }
    for route in Route.allCases {
      #expect(paths[route.path]?.keys.sorted() == [route.methodName.lowercased()], "\(route)")
    }
    let components = try #require(document["components"] as? [String: [String: Any]])
    let references = OpenAPIDocument.text.components(separatedBy: "\"$ref\": \"#/components/").dropFirst()
    for reference in references {
      let steps = reference.prefix { $0 != "\"" }.split(separator: "/").map(String.init)
      #expect(steps.count == 2 && components[steps[0]]?[steps[1]] != nil, "\(steps)")
    }
  }

  @Test func `limits that the document names are those of the server`() throws {
    let limits = ServingConfiguration.Limits()
    #expect(OpenAPIDocument.text.contains("\"maxItems\": \(limits.entities)}"))
    #expect(OpenAPIDocument.text.contains("\"maxItems\": \(limits.features)"))
    #expect(OpenAPIDocument.text.contains("\"maxItems\": \(limits.pushedRows)}"))
  }

  // MARK: Metrics

  @Test func `counters are conserved and lag has the names that dashboards look for`() async throws {
    try await withServer { server, engine in
      engine.set { $0.report = Self.report }
      let socket = try await HTTPSocket(port: server.port)
      _ = try await socket.post("/get-online-features", #"{"features":["user_stats:f0"],"entities":{"user_id":[7]}}"#)
      let answer = try await socket.get("/metrics")
      #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
      let samples = try MetricsLint.samples(answer.body)
      let read = try #require(samples["headrace_source_records_read_total{source=\"events\"}"])
      let outcomes = samples.filter { $0.key.hasPrefix("headrace_source_records_total{") }
      #expect(outcomes.count == 6 && outcomes.values.reduce(0, +) == read)
      #expect(samples["kafka_consumergroup_lag{consumergroup=\"bench\",topic=\"users\",partition=\"0\"}"] == 10)
      #expect(samples["headrace_task_stalled{task=\"1\"}"] == 1)
      #expect(samples["headrace_online_values_total{status=\"NOT_FOUND\"}"] == 1)
      let path = "path=\"/get-online-features\""
      #expect(samples["headrace_http_request_duration_seconds_count{\(path)}"] == 1)
      #expect(samples["headrace_http_request_duration_seconds_bucket{\(path),le=\"+Inf\"}"] == 1)
    }
  }

  @Test func `labels are escaped`() throws {
    var text = MetricsText()
    text.family("a_info", .gauge, "A.") { $0.add(true, ("name", "a\\b\"c\nd")) }
    #expect(String(buffer: text.body).hasSuffix("a_info{name=\"a\\\\b\\\"c\\nd\"} 1\n"))
  }
}

/// What `promtool check metrics` asks for, as far as it can be read off the text.
enum MetricsLint {
  struct Finding: Error, CustomStringConvertible {
    var description: String
  }

  static func samples(_ text: String) throws -> [String: Double] {
    var samples: [String: Double] = [:]
    var family = ""
    var kind = ""
    var seen: Set<String> = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if line.hasPrefix("# HELP ") {
        family = String(words[2])
        guard seen.insert(family).inserted else { throw Finding(description: "\(family) comes twice") }
        guard words.count > 3 else { throw Finding(description: "\(family) has no help") }
        continue
      }
      if line.hasPrefix("# TYPE ") {
        kind = String(words[3])
        try check(family, kind)
        continue
      }
      let name = line.prefix { $0 != "{" && $0 != " " }
      let suffix = name.dropFirst(family.count)
      let isOfFamily = kind == "histogram" ? ["_bucket", "_sum", "_count"].contains(suffix) : suffix.isEmpty
      guard name.hasPrefix(family), isOfFamily else { throw Finding(description: "\(line) is not of \(family)") }
      guard let last = words.last, let value = Double(last) else { throw Finding(description: "no value: \(line)") }
      let series = String(line.dropLast(last.count + 1))
      guard samples.updateValue(value, forKey: series) == nil else { throw Finding(description: "twice: \(series)") }
    }
    return samples
  }

  private static func check(_ name: String, _ kind: String) throws {
    guard name.wholeMatch(of: #/[a-z][a-z0-9_]*/#) != nil else { throw Finding(description: "name: \(name)") }
    guard (kind == "counter") == name.hasSuffix("_total") else { throw Finding(description: "_total: \(name)") }
    let words = Set(name.split(separator: "_"))
    let foreign: Set<Substring> = ["milliseconds", "ms", "kilobytes", "mb", "minutes", "percent", "gauge", "counter"]
    guard words.isDisjoint(with: foreign) else { throw Finding(description: "unit: \(name)") }
    for reserved in ["_count", "_sum", "_bucket"] where name.hasSuffix(reserved) {
      throw Finding(description: "reserved: \(name)")
    }
  }
}
