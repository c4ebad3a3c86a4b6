import CAllocations
import Columns
import Core
import Features
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import OnlineStore
import Runtime
import Testing

@testable import Serving

/// Memory that a read asks for, from the bytes of the request to the bytes of the answer: the gate of the read path.
@Suite struct ReadAllocationTests {
  /// What the parser of HTTP makes of a request, and the embedded channel of an answer. Ours is none of it.
  private static let allocationsMax = 25.0
  private static let rounds = 200

  #if !DEBUG
    @Test func `a read of 20 features allocates for its parsed head and nothing else`() throws {
      let server = FeatureServer(
        catalog: ConstantSource.catalog, features: ConstantSource(), events: nil, status: FakeEngine(),
        logger: Logger(label: "test"))
      let channel = EmbeddedChannel()
      try channel.pipeline.syncOperations.configureHTTPServerPipeline(
        withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false)
      _ = try ConnectionChannel(server).install(on: channel)
      let request = ByteBuffer(string: ConstantSource.request)
      var answered = 0
      func read() throws {
        try channel.writeInbound(request)
        let answer = try channel.readOutbound(as: ByteBuffer.self)
        answered += (answer?.readableBytes ?? 0) > 2_000 ? 1 : 0
      }
      for _ in 0..<10 { try read() }
      let before = allocations_of_thread()
      for _ in 0..<Self.rounds { try read() }
      let perRead = Double(allocations_of_thread() - before) / Double(Self.rounds)
      #expect(answered == Self.rounds + 10)
      #expect(perRead <= Self.allocationsMax)
      _ = try channel.finish()
    }
  #endif
}

/// Twenty features that are always the same, out of no store.
private struct ConstantSource: OnlineFeatureSource {
  private static let names = (0..<20).map { "f\($0)" }

  static let catalog = ServingCatalog(
    name: "constant", sources: [.init(name: "events", topic: "events")],
    views: [
      .init(
        name: "stats", entity: "user", joinKeys: [.init("user_id", .string)],
        features: names.map { .init(name: $0, typeName: "double", type: .double) }, source: 0)
    ])

  static let request: String = {
    let features = names.map { "\"stats:\($0)\"" }.joined(separator: ",")
    let body = #"{"features":[\#(features)],"as_of":"latest","entities":{"user_id":["u000001"]}}"#
    return "POST /get-online-features HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }()

  func read(
    view: Int, key: EntityKey, at time: ReadTime, features: [Int], into values: inout [FeatureValue]
  ) throws(OnlineReadError) -> ReadMoment {
    values.removeAll(keepingCapacity: true)
    for feature in features { values.append(.present(.double(Double(feature) / 3 + 1))) }
    return ReadMoment(atMilliseconds: 1_793_500_200_000, watermarkMilliseconds: 1_793_500_200_000)
  }

  func wait(for offsets: [RecordOffset], milliseconds: Int64) async throws(OnlineReadError) {}
}
