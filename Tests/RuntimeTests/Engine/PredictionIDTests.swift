import Testing

@testable import Runtime

struct PredictionIDTests {
  @Test func `an id names its event, whatever the topic's name`() throws {
    let id = try #require(PredictionID("my-topic.v2-3-17/fraud"))
    #expect(id.topic == "my-topic.v2" && id.partition == 3 && id.offset == 17 && id.model == "fraud")
  }

  @Test(arguments: ["", "a/b", "a-1/b", "a-1-x/b", "-1-2/b", "a-1-2/", "a-1-99999999999999999999/b"])
  func `what is no id is none`(text: String) {
    #expect(PredictionID(text) == nil)
  }
}
