import Core
import HTTPClient
import Testing

@testable import RemoteModels

/// Requests and answers of both protocols, and answers that are none.
@Suite struct RemoteExchangeTests {
  private static func exchange(
    _ format: RemoteProtocol, _ change: (inout RemoteModelConfiguration) -> Void = { _ in }
  ) throws -> RemoteExchange {
    var configuration = RemoteModelConfiguration(url: "http://h:1", format: format, model: "m")
    change(&configuration)
    return try RemoteExchange(configuration, featureNames: ["a", "b"])
  }

  private static func response(
    _ text: String, status: Int = 200, headers: [(name: String, value: String)] = [], tensor: [UInt8] = []
  ) -> HTTPResponse {
    HTTPResponse(status: status, headers: headers, body: Array(text.utf8) + tensor)
  }

  private static func bytes(_ numbers: [Double]) -> [UInt8] {
    numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number.bitPattern >> UInt64(8 * $0)) } }
  }

  private static let answers: [(RemoteProtocol, String)] = [
    (.oip, #"{"outputs":[{"name":"s","shape":[2],"datatype":"FP64","data":[0.25,1]}]}"#),
    (.oip, #"{"outputs":[{"name":"s","shape":[2,1],"datatype":"FP32","parameters":{"binary_data_size":8}}]}"#),
    (
      .openai,
      #"{"data":[{"index":0,"data":[0.5]},{"index":1,"data":[0.25]}],"usage":{"prompt_tokens":9,"total_tokens":9}}"#
    ),
    (
      .openai,
      #"{"choices":[{"index":0,"message":{"content":"yes"},"logprobs":{"content":[{"token":"yes","logprob":-0.1,"#
        + #""top_logprobs":[{"token":"no","logprob":-2.3}]}]}}],"usage":{"prompt_tokens":1e9,"completion_tokens":-3}}"#
    ),
  ]

  @Test func `GPU time is what a header says in milliseconds`() {
    let cases: [(headers: [(name: String, value: String)], microseconds: Int64)] = [
      ([], 0), ([("Server-Timing", "gpu;dur=12.5")], 12_500),
      ([("server-timing", "db;dur=3, gpu;desc=\"a, gpu;dur=9\";dur=1.25"), ("Server-Timing", "GPU;dur=\"2\"")], 3_250),
      ([("Server-Timing", "gpu;dur=-1, gpu;dur=nan, gpu;dur=1e300, gpu, gpu;dur=")], 0),
      ([("x-inference-time", "12"), ("x-compute-type", "gpu+optimized")], 12_000),
      // Seconds, as others have it; a processor's time is no GPU's.
      ([("x-inference-time", "0.012")], 0), ([("x-inference-time", "12"), ("x-compute-type", "cpu")], 0),
    ]
    for (headers, microseconds) in cases {
      #expect(RemoteExchange.gpuMicroseconds(Self.response("", headers: headers)) == microseconds, "\(headers)")
    }
  }

  /// What an endpoint sends is theirs: whatever it is, it is scores of the right number or no answer.
  @Test(arguments: [UInt64(51), 52])
  func `mutated answers are scores or none, never trapped on`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let exchanges = try RemoteProtocol.allCases.map { format in
      try [1, 3].map { outputs in
        try Self.exchange(format) {
          $0.outputCount = outputs
          if format == .openai { $0.labels = Array(["yes", "no", "maybe"].prefix(outputs)) }
        }
      }
    }
    for round in 0..<8_000 {
      let (format, text) = Self.answers[round % Self.answers.count]
      var body = Array(text.utf8)
      var headers: [(name: String, value: String)] = []
      if text.contains("binary") {
        headers.append(("inference-header-content-length", "\(body.count &+ Int(random.next() % 3) - 1)"))
        body += [0, 0, 0x80, 0x3f, 0, 0, 0xc0, 0x7f]
      }
      for _ in 0..<Int(random.next() % 6) {
        guard !body.isEmpty else { break }
        let at = Int(random.next() % UInt64(body.count))
        switch random.next() % 4 {
        case 0: body[at] = UInt8(truncatingIfNeeded: random.next())
        case 1: body.removeSubrange(at..<min(at + 5, body.count))
        case 2: body.insert(contentsOf: Array("-1e99".utf8), at: at)
        default: body.insert(contentsOf: body[at..<min(at + 30, body.count)], at: at)
        }
      }
      let response = HTTPResponse(status: 200, headers: headers, body: body)
      for exchange in exchanges[format == .oip ? 0 : 1] {
        let rowCount = 1 + round % 3
        let (outcome, answer) = exchange.answer(response, rowCount: rowCount)
        let expected = rowCount * exchange.configuration.outputCount
        #expect(answer == nil || answer?.scores.count == expected, "seed \(seed), round \(round)")
        #expect((answer == nil) == (outcome != .scored), "seed \(seed), round \(round)")
      }
    }
  }

  @Test func `a tensor is written as JSON and as bytes`() throws {
    let rows: [Float] = [1, .nan, 0.5, -2]
    let json = try Self.exchange(.oip) { $0.tensors = .json }.request(rows[...], rowCount: 2, secret: nil)
    #expect(json.url == "http://h:1/v2/models/m/infer")
    #expect(
      String(decoding: json.body ?? [], as: UTF8.self)
        == #"{"inputs":[{"name":"features","shape":[2,2],"datatype":"FP32","data":[1.0,null,0.5,-2.0]}]}"#)
    let binary = try Self.exchange(.oip) { $0.version = "3" }.request(rows[...], rowCount: 2, secret: nil)
    #expect(binary.url == "http://h:1/v2/models/m/versions/3/infer")
    let length = binary.headers.first { $0.name == "inference-header-content-length" }.flatMap { Int($0.value) }
    let body = try #require(binary.body)
    #expect(body.count == (length ?? 0) + 16 && Array(body.suffix(4)) == [0, 0, 0, 0xc0])
  }

  @Test func `tensors of every kind are read`() throws {
    let exchange = try Self.exchange(.oip)
    let flat = #"{"outputs":[{"name":"s","shape":[2],"datatype":"FP64","data":[0.25,1]}]}"#
    #expect(exchange.answer(Self.response(flat), rowCount: 2).answer?.scores == [0.25, 1])
    let column = #"{"outputs":[{"name":"s","shape":[2,1],"datatype":"FP32","data":[[0.25],[1]]}]}"#
    #expect(exchange.answer(Self.response(column), rowCount: 2).answer?.scores == [0.25, 1])
    let header =
      #"{"outputs":[{"name":"x","shape":[9],"datatype":"FP64","parameters":{"binary_data_size":8}},"#
      + #"{"name":"s","shape":[2],"datatype":"FP64","parameters":{"binary_data_size":16}}]}"#
    let named = try Self.exchange(.oip) { $0.outputName = "s" }
    let response = Self.response(
      header, headers: [("Inference-Header-Content-Length", "\(header.utf8.count)")],
      tensor: Self.bytes([7, 0.5, 2]))
    #expect(named.answer(response, rowCount: 2).answer?.scores == [0.5, 2])
  }

  @Test(arguments: [
    "", "garbage", "{}", "{\"outputs\":[]}", "{\"outputs\":[{}]}", "[1]",
    #"{"outputs":[{"shape":[3],"data":[1,2,3]}]}"#, #"{"outputs":[{"shape":[2],"data":[1]}]}"#,
    #"{"outputs":[{"shape":[2],"data":["1","2"]}]}"#, #"{"outputs":[{"shape":[2,2],"data":[1,2,3,4]}]}"#,
    #"{"outputs":[{"shape":[2],"datatype":"FP64","parameters":{"binary_data_size":16}}]}"#,
    #"{"outputs":[{"shape":[2],"datatype":"FP64","parameters":{"binary_data_size":-8}}]}"#,
    #"{"outputs":[{"shape":[2],"datatype":"FP64","parameters":{"binary_data_size":9223372036854775807}}]}"#,
    #"{"outputs":[{"shape":[2],"data":[1,2]}"#, #"{"choices":[]}"#, #"{"error":"no"}"#,
  ])
  func `an answer of another shape is unusable`(text: String) throws {
    for format in RemoteProtocol.allCases {
      let exchange = try Self.exchange(format) { $0.task = .completions }
      let (outcome, answer) = exchange.answer(Self.response(text), rowCount: 2)
      #expect(outcome == .permanent(.unusableAnswer) && answer == nil)
    }
  }

  @Test func `statuses mean what they mean`() throws {
    let exchange = try Self.exchange(.oip)
    func outcome(_ status: Int, _ headers: [(name: String, value: String)] = []) -> BatchCall.Outcome {
      exchange.answer(Self.response("", status: status, headers: headers), rowCount: 1).outcome
    }
    #expect(outcome(429, [("Retry-After", "2")]) == .overloaded(retryAfterMilliseconds: 2_000))
    #expect(
      outcome(429, [("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT")]) == .overloaded(retryAfterMilliseconds: nil))
    #expect(outcome(503, [("retry-after", "1e300")]) == .overloaded(retryAfterMilliseconds: 86_400_000))
    #expect(outcome(503) == .transient(.serverError) && outcome(500) == .transient(.serverError))
    #expect(outcome(302) == .permanent(.refused) && outcome(404) == .permanent(.refused))
  }

  @Test func `a chat gives the probabilities of its labels`() throws {
    let exchange = try Self.exchange(.openai) {
      $0.prompt = "Is {a} with {b} {{fraud}?"
      $0.labels = ["Fraud", "legit"]
      $0.outputCount = 2
    }
    let request = exchange.request([1.5, .nan], rowCount: 1, secret: nil)
    let text = String(decoding: request.body ?? [], as: UTF8.self)
    #expect(request.url == "http://h:1/v1/chat/completions")
    #expect(text.contains(#""content":"Is 1.5 with unknown {fraud}?""#) && text.contains(#""top_logprobs":20"#))
    let answer = """
      {"choices":[{"index":0,"message":{"role":"assistant","content":"Fr"},"logprobs":{"content":[{"token":"Fr",
      "logprob":-0.1,"top_logprobs":[{"token":" Fr","logprob":-0.5108256237659907},
      {"token":"leg","logprob":-1.6094379124341003},{"token":"other","logprob":-1.6}]}]}}],
      "usage":{"prompt_tokens":12,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":8}}}
      """
    let found = try #require(exchange.answer(Self.response(answer), rowCount: 1).answer)
    #expect(abs(found.scores[0] - 0.75) < 1e-12 && abs(found.scores[1] - 0.25) < 1e-12)
    #expect(found.usage == RemoteUse(promptTokens: 12, completionTokens: 1, cachedTokens: 8))
    let plain = #"{"choices":[{"message":{"content":" LEGIT. "}}]}"#
    #expect(exchange.answer(Self.response(plain), rowCount: 1).answer?.scores == [0, 1])
    let neither = #"{"choices":[{"message":{"content":"hm"}}]}"#
    #expect(exchange.answer(Self.response(neither), rowCount: 1).outcome == .permanent(.unusableAnswer))
  }

  @Test func `answers are put into the order of the rows`() throws {
    let classes = try Self.exchange(.openai) {
      $0.task = .classify
      $0.outputCount = 2
    }
    let text = #"{"data":[{"index":1,"probs":[0.5,0.5]},{"index":0,"probs":[0.25,0.75]}]}"#
    #expect(classes.answer(Self.response(text), rowCount: 2).answer?.scores == [0.25, 0.75, 0.5, 0.5])
    let twice = #"{"data":[{"index":1,"probs":[0.5,0.5]},{"index":1,"probs":[0.25,0.75]}]}"#
    #expect(classes.answer(Self.response(twice), rowCount: 2).answer == nil)
    let numbers = try Self.exchange(.openai) { $0.task = .completions }
    let choices = #"{"choices":[{"index":0,"text":" 0.5\n"},{"index":1,"text":"-3e-1"}]}"#
    #expect(numbers.answer(Self.response(choices), rowCount: 2).answer?.scores == [0.5, -0.3])
  }

  @Test func `a prompt that names no feature is refused`() {
    #expect(throws: HeadraceError.self) { try Self.exchange(.openai) { $0.prompt = "{c}" } }
    #expect(throws: HeadraceError.self) { try Self.exchange(.openai) { $0.prompt = "{a" } }
  }
}
