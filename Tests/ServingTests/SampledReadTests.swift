import Columns
import Core
import Features
import Logging
import NIOCore
import OfflineStore
import OnlineStore
import Runtime
import Synchronization
import Testing

@testable import Serving

/// What is sampled of the answers that go out.
@Suite struct SampledReadTests {
  @Test func `of each service so many a second are sampled, whatever comes`() throws {
    let gates = try #require(SampleGates(serviceCount: 2, perSecond: 5))
    var counts = [0, 0, 0]
    for millisecond in UInt64(1)...20_000 {
      for service in [0, 1, nil] as [Int?] where gates.open(service, nowNanoseconds: millisecond * 1_000_000) {
        counts[service ?? 2] += 1
      }
    }
    for count in counts { #expect((80...120).contains(count), "\(counts)") }
    #expect(SampleGates(serviceCount: 2, perSecond: 0) == nil)
  }

  @Test func `a sample is the vector that was answered, and what it was made of`() async throws {
    let source = SampledSource(
      prefix: LogPrefix(topic: "t", parts: [.init(partition: 1, wholeOffset: 7, nextOffset: 7)]))
    let answer = try await Self.answer(source)
    #expect(answer.contains("\"values\":[2.5]"))
    #expect(answer.contains("\"values\":[9]"))
    let sample = try #require(source.samples.withLock { $0.first })
    #expect(sample.service == "s")
    let read = try #require(sample.reads.first)
    #expect(read.view == "stats" && read.prefix.text == "t 1:7" && read.readMilliseconds == 5_000)
    #expect(read.key.map(\.name) == ["user_id"] && read.key.map(\.value) == [.string("u")])
    #expect(read.features.map(\.value) == [ServedValue(.double(2.5)), .null])
    #expect(read.features.map(\.status) == [.present, .nullValue])
    #expect(read.features.map(\.fingerprint) == ["print of mean", "print of count"])
    #expect(read.features.map(\.servedDefault) == [nil, ServedValue(.integer(9))])
  }

  @Test func `a row of which nobody can say what it was made of is no sample`() async throws {
    let source = SampledSource(prefix: nil)
    #expect(try await Self.answer(source).contains("\"values\":[2.5]"))
    #expect(source.samples.withLock { $0.isEmpty })
  }

  private static func answer(_ source: SampledSource) async throws -> String {
    let server = FeatureServer(
      catalog: SampledSource.catalog, features: source, events: nil, status: FakeEngine(),
      logger: Logger(label: "test"))
    let body = ByteBuffer(string: #"{"feature_service":"s","entities":{"user_id":["u"]}}"#)
    let reply = try await server.onlineFeatures(body, deadline: .now() + .seconds(10))
    return String(buffer: reply.body)
  }
}

/// One view with a mean and a count that is null.
private final class SampledSource: SampledFeatureSource {
  static let catalog = ServingCatalog(
    name: "sampled", sources: [.init(name: "events", topic: "t")],
    views: [
      .init(
        name: "stats", entity: "user", joinKeys: [.init("user_id", .string)],
        features: [
          .init(name: "mean", typeName: "double", type: .double, fingerprint: "print of mean"),
          .init(name: "count", typeName: "integer", type: .integer, fingerprint: "print of count"),
        ], source: 0)
    ],
    services: [
      .init(
        name: "s",
        features: [
          .init(name: "mean", origin: .feature(view: 0, feature: 0)),
          .init(name: "count", origin: .feature(view: 0, feature: 1), defaultValue: .integer(9)),
        ])
    ])

  let samples = Mutex<[ServedVector]>([])
  private let prefix: LogPrefix?

  init(prefix: LogPrefix?) { self.prefix = prefix }

  var samplesPerSecond: Int { 1 }

  func read(
    view: Int, key: EntityKey, at time: ReadTime, features: [Int], into values: inout [FeatureValue]
  ) throws(OnlineReadError) -> ReadMoment {
    let all = [
      FeatureValue(value: .double(2.5), status: .present, eventTimeMilliseconds: 4_000),
      FeatureValue(value: .null, status: .nullValue, eventTimeMilliseconds: 4_000),
    ]
    values = features.map { all[$0] }
    return ReadMoment(atMilliseconds: 5_000, watermarkMilliseconds: 4_500)
  }

  func readTraced(
    view: Int, key: EntityKey, at time: ReadTime, features: [Int], into values: inout [FeatureValue]
  ) throws(OnlineReadError) -> TracedRead {
    TracedRead(moment: try read(view: view, key: key, at: time, features: features, into: &values), prefix: prefix)
  }

  func take(_ sample: ServedVector) { samples.withLock { $0.append(sample) } }

  func wait(for offsets: [RecordOffset], milliseconds: Int64) async throws(OnlineReadError) {}
}
