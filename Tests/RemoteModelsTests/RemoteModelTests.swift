import Core
import Testing

@testable import RemoteModels

/// The whole model against an endpoint that misbehaves in every way there is. It answers `a + b` of each row, in
/// OpenAI's shape.
@Suite(.serialized) struct RemoteModelTests {
  private static func configuration(_ endpoint: StubEndpoint) -> RemoteModelConfiguration {
    var configuration = RemoteModelConfiguration(url: endpoint.url, format: .openai, model: "m")
    configuration.task = .classify
    configuration.prompt = "{a};{b}"
    configuration.batchRowsMax = 3
    configuration.requestMilliseconds = 300
    configuration.batchMilliseconds = 3_000
    configuration.backoffMilliseconds = 5
    return configuration
  }

  /// `a + b` of each row that the request names.
  private static func sums(_ request: StubEndpoint.Request) -> String {
    guard let document = try? JSONDocument(Array(request.body.utf8), depthMax: 8),
      let items = document["input"]?.elements
    else { return "{}" }
    let probabilities = items.enumerated().map { index, item in
      let sum = (item.string ?? "").split(separator: ";").compactMap { Double($0) }.reduce(0, +)
      return "{\"index\":\(index),\"probs\":[\(sum)]}"
    }
    return "{\"data\":[\(probabilities.joined(separator: ","))],\"usage\":{\"prompt_tokens\":\(items.count)}}"
  }

  /// From a thread of its own, as tasks call it.
  private static func score(_ model: RemoteModel, _ rows: [Float]) async -> ([Double], [RemoteFailure?]) {
    await withCheckedContinuation { continuation in
      StubEndpoint.onThread {
        var scores: [Double] = []
        var failures: [RemoteFailure?] = []
        model.score(rows, rowCount: rows.count / 2, into: &scores, failures: &failures)
        continuation.resume(returning: (scores, failures))
      }
    }
  }

  private static func model(_ configuration: RemoteModelConfiguration) throws -> RemoteModel {
    try RemoteModel(configuration, featureNames: ["a", "b"])
  }

  private static let rows: [Float] = (0..<40).map { Float($0) }
  private static let expected: [Double] = (0..<20).map { Double(4 * $0 + 1) }

  @Test func `scores come in the order of the rows, and no more requests at a time than allowed`() async throws {
    let endpoint = try StubEndpoint { request in
      .drip(Self.sums(request), pauseMilliseconds: 0)
    }
    defer { endpoint.close() }
    var configuration = Self.configuration(endpoint)
    configuration.concurrency = 2
    // Nothing is slow here but a machine that is busy.
    configuration.requestMilliseconds = 20_000
    configuration.batchMilliseconds = 30_000
    let model = try Self.model(configuration)
    let (scores, failures) = await Self.score(model, Self.rows)
    #expect(scores == Self.expected && failures.allSatisfy { $0 == nil })
    #expect(endpoint.requests.count == 7 && endpoint.concurrencyMost <= 2)
    #expect(endpoint.requests.allSatisfy { $0.path == "/classify" })
    #expect(model.counters.use.promptTokens == 20 && model.counters.rowsScored == 20)
  }

  @Test(arguments: ["500", "429", "503", "truncated", "disconnect", "hang", "drip"])
  func `what fails once is sent again`(fault: String) async throws {
    let endpoint = try StubEndpoint { request in
      guard request.number == 0 else { return .answer(200, [], Self.sums(request)) }
      switch fault {
      case "500": return .answer(500, [], "{}")
      case "429": return .answer(429, [("Retry-After", "0.05")], "{}")
      case "503": return .answer(503, [("Retry-After", "0.05")], "{}")
      case "truncated": return .truncated("{\"data\":[")
      case "disconnect": return .disconnect
      case "hang": return .hang
      default: return .drip(Self.sums(request), pauseMilliseconds: 50)
      }
    }
    defer { endpoint.close() }
    let model = try Self.model(Self.configuration(endpoint))
    let (scores, failures) = await Self.score(model, Self.rows)
    #expect(scores == Self.expected && failures.allSatisfy { $0 == nil }, "\(failures)")
    #expect(model.counters.repetitions == 1)
  }

  @Test(arguments: [
    ("garbage", RemoteFailure.unusableAnswer), ("shape", .unusableAnswer), ("redirect", .refused), ("404", .refused),
    ("huge", .unusableAnswer), ("429 for an hour", .overloaded),
  ])
  func `what would fail again is not sent again`(fault: String, expected: RemoteFailure) async throws {
    let endpoint = try StubEndpoint { request in
      switch fault {
      case "garbage": .answer(200, [], "<html>")
      case "shape": .answer(200, [], "{\"data\":[{\"index\":0,\"probs\":[1,2]}]}")
      case "redirect": .answer(302, [("Location", "http://127.0.0.1:1/elsewhere")], "")
      case "404": .answer(404, [], "")
      case "huge": .answer(200, [], String(repeating: " ", count: 10_000))
      default: .answer(429, [("Retry-After", "3600")], "")
      }
    }
    defer { endpoint.close() }
    var configuration = Self.configuration(endpoint)
    configuration.answerBytesMax = 5_000
    let (scores, failures) = await Self.score(try Self.model(configuration), [1, 2])
    #expect(failures == [expected] && scores[0].isNaN && endpoint.requests.count == 1)
  }

  @Test func `an endpoint that is gone is left alone, and tried again`() async throws {
    let isUp = Flag()
    let endpoint = try StubEndpoint { request in
      isUp.isSet ? .answer(200, [], Self.sums(request)) : .disconnect
    }
    defer { endpoint.close() }
    var configuration = Self.configuration(endpoint)
    configuration.breaker.openMilliseconds = 1
    configuration.breaker.openMillisecondsMax = 1
    let model = try Self.model(configuration)
    let (scores, failures) = await Self.score(model, Self.rows)
    #expect(scores.allSatisfy(\.isNaN) && failures.contains(.breakerOpen) && failures.contains(.unreachable))
    #expect(model.counters.breakerOpenings > 0 && model.counters.rowsFailed == 20)
    isUp.set()
    // The pause is a millisecond: the next batch but one is behind it at the latest.
    var last: [RemoteFailure?] = [.timeout]
    for _ in 0..<1_000 where last != [nil] { last = await Self.score(model, [1, 2]).1 }
    #expect(last == [nil])
  }

  @Test func `a batch ends in its time, whatever hangs`() async throws {
    let endpoint = try StubEndpoint { _ in .hang }
    defer { endpoint.close() }
    var configuration = Self.configuration(endpoint)
    configuration.requestMilliseconds = 60_000
    configuration.batchMilliseconds = 200
    let clock = ContinuousClock()
    let begun = clock.now
    let (_, failures) = await Self.score(try Self.model(configuration), Self.rows)
    #expect(failures.allSatisfy { $0 == .timeout } && clock.now - begun < .seconds(5))
  }

  @Test func `equal rows are asked for once in the lifetime of an answer`() async throws {
    let endpoint = try StubEndpoint { .answer(200, [], Self.sums($0)) }
    defer { endpoint.close() }
    var configuration = Self.configuration(endpoint)
    configuration.cacheMilliseconds = 1_000_000
    let model = try Self.model(configuration)
    let first = await Self.score(model, [1, 2, 3, 4])
    let second = await Self.score(model, [3, 4, 1, 2, 5, 6])
    #expect(first.0 == [3, 7] && second.0 == [7, 3, 11])
    #expect(endpoint.requests.count == 2 && model.counters.rowsFromCache == 2)
  }

  @Test func `the secret is in the header and nowhere else`() async throws {
    let endpoint = try StubEndpoint { .answer(200, [], Self.sums($0)) }
    defer { endpoint.close() }
    var configuration = Self.configuration(endpoint)
    configuration.credentials = CredentialSource(.environment("PATH"))
    configuration.credentials?.header = "x-api-key"
    _ = await Self.score(try Self.model(configuration), [1, 2])
    let request = try #require(endpoint.requests.first)
    #expect(request.headers["x-api-key"]?.contains("/bin") == true && request.headers["authorization"] == nil)
  }
}
