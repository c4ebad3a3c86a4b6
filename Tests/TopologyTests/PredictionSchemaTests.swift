import Contracts
import Core
import Testing

@testable import Topology

/// Predictions in Avro: what a topology may say, and the schema that follows from it.
@Suite struct PredictionSchemaTests {
  private static func plan(_ keys: String) throws -> Result<Plan, TopologyErrors> {
    let text = try StreamModelTests.text().replacing("    threshold: 0.5\n    features: full", with: keys)
    return try StreamModelTests.load(text, model: StreamModelTests.linear(StreamModelTests.names))
  }

  @Test(arguments: ["full", "hash", "none"], [true, false])
  func `every schema is one, and a contract can be made of it`(features: String, hasThreshold: Bool) throws {
    let threshold = hasThreshold ? "    threshold: 0.5\n" : ""
    let plan = try Self.plan("\(threshold)    features: \(features)\n    format: avro\n").get()
    let (model, stream) = (plan.models[0], try #require(plan.models[0].stream))
    for isShadow in [false, true] {
      let schema = PredictionSchema(model, stream, isShadow: isShadow)
      let fields = try schema.schema()
      guard case .record(let names) = fields[fields.root].shape else {
        Issue.record("no record")
        return
      }
      #expect(names.contains { $0.name == "scores" } != hasThreshold)
      #expect(names.contains { $0.name == "features" } == (features == "full"))
      #expect(names.contains { $0.name == "difference" } == isShadow)
      let contract = try Contract(subject: "predictions", json: Array(schema.json.utf8), file: "predictions.avsc")
      #expect(contract.fields.contains { $0.path == "score" } && contract.fields.count == names.count)
    }
    #expect(plan.predictionSchemas.map(\.schema.subject) == ["small.predictions-value"])
  }

  @Test func `models of one topic write in one form`() throws {
    let other = """

        other:
          service: delay_v2
          each: departed
          output: small.predictions
          file: model.json
          features: full
          format: FORMAT
      """
    for (format, isRight) in [("avro", true), ("json", false), ("avro-confluent", false)] {
      let result = try Self.plan(
        "    features: full\n    format: avro\n\(other.replacing("FORMAT", with: format))\n")
      switch result {
      case .success: #expect(isRight, "\(format)")
      case .failure(let errors): #expect(!isRight && "\(errors)".contains("in different forms"), "\(errors)")
      }
    }
  }

  @Test(
    arguments: [
      ("    timeout: 20ms\n", nil), ("    timeout: 0ms\n", "timeout"),
      ("    requests: {topic: small.requests}\n", nil),
      ("    requests: {topic: small.predictions}\n", "that its predictions go to"),
      ("    requests: {topic: small.requests, reply_topics: [small.requests]}\n", "that they come from"),
      ("    requests: {topic: flights.departures}\n", "that source"),
      ("    requests: {topc: small.requests}\n", "topic"),
    ] as [(String, String?)])
  func `time-outs and topics of requests are checked`(keys: String, wrong: String?) throws {
    switch try Self.plan(keys) {
    case .success(let plan):
      #expect(wrong == nil)
      guard let requests = plan.models[0].requests else { return }
      #expect(requests.responseTopic == "small.requests.responses")
      #expect(plan.topics.suffix(2).map(\.role) == [.request, .response])
    case .failure(let errors): #expect("\(errors)".contains(wrong ?? "no error"), "\(errors)")
    }
  }
}
