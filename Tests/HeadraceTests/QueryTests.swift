import Testing
@testable import headrace

@Suite struct QueryTests {
  private let body = """
    {"results":[{"values":["AA","ZZ"],"statuses":["PRESENT","PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z",\
    "1970-01-01T00:00:00Z"]},{"values":[12.5,null],"statuses":["PRESENT","NOT_FOUND"],"event_timestamps":[\
    "2013-01-01T10:00:00Z","1970-01-01T00:00:00Z"]},{"values":[3,0],"statuses":["PRESENT","PRESENT"],\
    "event_timestamps":["2013-01-01T10:00:00Z","1970-01-01T00:00:00Z"]}],\
    "metadata":{"feature_names":["carrier","v__mean_1h","v__n_1h"]},\
    "headrace":{"read_at":"2013-01-02T10:00:00Z","tile":true,"watermark":"2013-01-01T10:00:00Z",\
    "watermark_age_ms":86400000}}
    """

  private func answer() throws -> QueryAnswer {
    try QueryAnswer(Array(body.utf8), keys: [["AA"], ["ZZ"]], view: "v", features: ["n_1h", "mean_1h"])
  }

  @Test func `an answer is read by names, whatever the order of its columns`() throws {
    let answer = try answer()
    #expect(answer.rows[0].features.map(\.name) == ["n_1h", "mean_1h"])
    #expect(answer.rows[0].features.map { String(decoding: $0.json, as: UTF8.self) } == ["3", "12.5"])
    #expect(answer.rows[1].features[1].status == "NOT_FOUND" && answer.rows[1].features[1].eventTime == nil)
    #expect(
      answer.table == """
        KEY  FEATURE  VALUE  STATUS     EVENT TIME
        AA   n_1h         3  PRESENT    2013-01-01T10:00:00Z
        AA   mean_1h   12.5  PRESENT    2013-01-01T10:00:00Z
        ZZ   n_1h         0  PRESENT
        ZZ   mean_1h   null  NOT_FOUND

        """)
  }

  @Test func `a line of JSON has key, time and every feature`() throws {
    let lines = String(decoding: try answer().json(view: "v", joinKeys: ["carrier"]), as: UTF8.self).split(
      separator: "\n")
    #expect(lines.count == 2)
    #expect(
      lines[0] == #"{"view":"v","key":{"carrier":"AA"},"at":"2013-01-02T10:00:00Z","tile":true,"features":{"n_1h":"#
        + #"{"value":3,"status":"PRESENT","event_time":"2013-01-01T10:00:00Z"},"mean_1h":{"value":12.5,"#
        + #""status":"PRESENT","event_time":"2013-01-01T10:00:00Z"}}}"#)
  }

  @Test func `a person is told when the answer is of another time than it seems`() throws {
    let notes = try answer().notes
    #expect(notes.count == 2 && notes[1].contains("2013-01-01T10:00:00Z, 1 day before"))
    #expect(try answer().noteOnLatest(nowMilliseconds: 1_357_120_800_000) == nil)
    #expect(try answer().noteOnLatest(nowMilliseconds: 1_357_380_000_000)?.contains("3 days ago") == true)
  }

  @Test(arguments: ["", "[]", "{}", #"{"results":[],"metadata":{"feature_names":[]}}"#])
  func `what is no answer is refused`(text: String) {
    #expect(throws: (any Error).self) {
      try QueryAnswer(Array(text.utf8), keys: [["AA"]], view: "v", features: ["n_1h"])
    }
  }

  @Test func `keys of several parts are separated by commas, or a JSON list`() throws {
    #expect(try EntityArgument.parse("a,b", joinKeys: ["k"]) == ["a,b"])
    #expect(try EntityArgument.parse("JFK,LAX", joinKeys: ["origin", "dest"]) == ["JFK", "LAX"])
    #expect(try EntityArgument.parse(#"["a,b", "c"]"#, joinKeys: ["x", "y"]) == ["a,b", "c"])
    #expect(throws: (any Error).self) { try EntityArgument.parse("JFK", joinKeys: ["origin", "dest"]) }
  }
}
