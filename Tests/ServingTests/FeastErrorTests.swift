import Columns
import Features
import Testing

@testable import Serving

/// The error table: what Feast's client raises, or what FastAPI would say.
@Suite struct FeastErrorTests {
  private let engine = FakeEngine()

  struct Case: Sendable, CustomTestStringConvertible {
    var body: String
    var status: Int
    /// The answer has this.
    var contains: String

    init(_ body: String, _ status: Int, _ contains: String) {
      self.body = body
      self.status = status
      self.contains = contains
    }

    var testDescription: String { body }
  }

  @Test(arguments: [
    Case(
      #"{"features":["nope:f0"],"entities":{"user_id":[7]}}"#, 404,
      #""{\"module\": \"feast.errors\", \"class\": \"FeatureViewNotFoundException\", \"message\": \"Feature view "#
        + #"nope does not exist in project bench\"}""#),
    Case(
      #"{"features":["user_stats:nope"],"entities":{"user_id":[7]}}"#, 404,
      #"Feature nope not found in projection user_stats\"}""#),
    Case(#"{"feature_service":"nope","entities":{"user_id":[7]}}"#, 404, "FeatureServiceNotFoundException"),
    Case(#"{"features":["bare"],"entities":{"user_id":[7]}}"#, 404, "OnDemandFeatureViewNotFoundException"),
    Case(#"{"features":["user_stats:f0"],"entities":{}}"#, 422, "Missing join key values for keys: ['user_id']"),
    Case(#"{"features":["user_stats:f0"],"entities":{"user_id":[]}}"#, 422, "Missing join key values"),
    Case(#"{"features":["doubled"],"entities":{"user_id":[7]}}"#, 404, "RequestDataNotFoundInEntityRowsException"),
    Case(#"{"features":[],"entities":{"user_id":[7]}}"#, 422, "No features specified for retrieval"),
    Case(#"{"entities":{"user_id":[7]}}"#, 422, "No features specified for retrieval"),
    Case(
      #"{"features":["user_stats:f0","user_stats:f0"],"entities":{"user_id":[7]}}"#, 422,
      "FeatureNameCollisionError"),
    Case(
      #"{"features":["route_stats:f0"],"entities":{"origin":["a","b"],"dest":["c"]}}"#, 422,
      "1 values where the first key has 2"),
    Case(#"{"features":["user_stats:f0"],"entities":{"user_id":["x"]}}"#, 422, #"\\\"x\\\" is no integer"#),
    Case(#"{"features":["user_stats:f0"],"entities":{"user_id":[1.5]}}"#, 422, "1.5 is no integer"),
    Case(#"{"features":["user_stats:f0"],"entities":{"user_id":[[1]]}}"#, 422, "[1] is no integer"),
    Case(
      #"{"features":"x"}"#, 422,
      #"{"detail":[{"type":"list_type","loc":["body","features"],"msg":"Input should be a valid list","input":{}},"#
        + #"{"type":"missing","loc":["body","entities"],"msg":"Field required","input":{}}]}"#),
    Case(
      #"{"features":["user_stats:f0"],"entities":{"user_id":7}}"#, 422,
      #""loc":["body","entities","user_id"],"msg":"Input should be a valid list""#),
    Case(#"{"features":[1],"entities":{"user_id":[7]}}"#, 422, #""loc":["body","features",0]"#),
    Case(
      #"{x"#, 422,
      #"{"detail":[{"type":"json_invalid","loc":["body",1],"msg":"JSON decode error","input":{},"#
        + #""ctx":{"error":"Expecting property name enclosed in double quotes"}}]}"#),
    Case("", 422, "json_invalid"), Case("[]", 422, "model_attributes_type"), Case("7", 422, "model_attributes_type"),
    Case(#"{"entities":{},"as_of":"yesterday"}"#, 422, "as_of_type"),
    Case(#"{"entities":{},"as_of":-5}"#, 422, "as_of_type"),
    Case(#"{"entities":{},"min_offset":["users:0"]}"#, 422, "offset_type"),
    Case(#"{"entities":{},"wait_ms":-1}"#, 422, "int_type"),
    Case(#"{"entities":{},"full_feature_names":1}"#, 422, "bool_parsing"),
  ])
  func `each fault of a request has its answer`(example: Case) {
    let answer = FeatureCall(engine: engine).answer(example.body)
    #expect(answer.status == example.status)
    #expect(answer.body.contains(example.contains), "\(answer.body)")
  }

  @Test(
    arguments: [
      (OnlineReadError.notReady(partition: 3, why: "it is restored"), 503, "partition 3 is not ready: it is restored"),
      (.notOwned(partition: 3, owner: "10.0.0.7:6566"), 421, "10.0.0.7:6566"),
      (.beforeHorizon, 422, "as_of lies before what the view keeps"), (.building, 503, "built from the log"),
      (.failed(code: "IO", message: "the disk is gone"), 503, "the disk is gone"),
    ] as [(OnlineReadError, Int, String)])
  func `what keeps a view from being read is told`(error: OnlineReadError, status: Int, text: String) {
    engine.set { $0.readError = error }
    let answer = FeatureCall(engine: engine).answer(#"{"features":["user_stats:f0"],"entities":{"user_id":[7]}}"#)
    #expect(answer.status == status)
    #expect(answer.body.contains(text), "\(answer.body)")
  }

  @Test func `limits of entities, features and nesting`() {
    var call = FeatureCall(engine: engine)
    call.limits.entities = 3
    call.limits.features = 2
    call.limits.jsonDepth = 4
    func status(_ features: String, _ entities: String) -> (status: Int, body: String) {
      call.answer(#"{"features":[\#(features)],"entities":{"user_id":[\#(entities)]}}"#)
    }
    #expect(status(#""user_stats:f0","user_stats:f1""#, "1,2,3").status == 200)
    #expect(status(#""user_stats:f0""#, "1,2,3,4").body.contains("4 entities, 3 may be asked for at once"))
    #expect(status(#""user_stats:f0","user_stats:f1","user_stats:city""#, "1").body.contains("more than 2 features"))
    #expect(status(#""user_stats:*""#, "1").body.contains("more than 2 features"))
    #expect(status(#""user_stats:f0""#, "[[[1]]]").body.contains("Nested too deeply"))
    #expect(call.answer([0x7b, 0xff, 0x7d]).body.contains("Not UTF-8"))
  }
}
