import Testing

@testable import Telemetry

struct TraceContextTests {
  private func read(_ text: String) -> TraceContext? {
    let bytes = Array(text.utf8)
    return unsafe TraceContext(traceparent: bytes.span.bytes)
  }

  @Test func `the example of the recommendation is read and written back`() throws {
    let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    let context = try #require(read(text))
    #expect(context.traceUpper == 0x0af7_6519_16cd_43dd)
    #expect(context.traceLower == 0x8448_eb21_1c80_319c)
    #expect(context.span == 0xb7ad_6b71_6920_3331)
    #expect(context.isSampled)
    #expect(context.header == text)
    #expect(context.traceText == "0af7651916cd43dd8448eb211c80319c")
  }

  @Test(arguments: [
    "", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
    "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  ])
  func `what is no traceparent is none`(text: String) {
    #expect(read(text) == nil)
  }

  @Test func `a later version counts as far as it is known`() {
    #expect(read("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-09-what-follows")?.isSampled == true)
  }

  @Test(arguments: [0, 0.1, 0.5, 1]) func `the share of sampled traces is the ratio`(ratio: Double) {
    var sampler = TraceSampler(ratio: ratio, seed: 7)
    let count = (0..<20_000).count { _ in sampler.root().isSampled }
    #expect(abs(Double(count) / 20_000 - ratio) < 0.015)
  }

  @Test func `a full queue drops and counts`() {
    let queue = SpanQueue(capacity: 3)
    var sampler = TraceSampler(ratio: 1, seed: 1)
    let spans = (0..<5).map { _ in Span(sampler.root(), "a", .internal, startNanoseconds: 1, endNanoseconds: 2) }
    queue.offer(spans)
    #expect(queue.counts == .init(waiting: 3, dropped: 2, exported: 0, failed: 0))
    #expect(queue.take(2).map(\.context) == spans[..<2].map(\.context))
    #expect(queue.counts.waiting == 1)
  }
}

struct TraceRequestTests {
  /// A naive reading of the wire format: fields in their order, with their raw content.
  private func fields(_ bytes: ArraySlice<UInt8>) -> [(field: UInt64, number: UInt64, content: ArraySlice<UInt8>)] {
    var found: [(UInt64, UInt64, ArraySlice<UInt8>)] = []
    var rest = bytes
    func varint() -> UInt64 {
      var (value, shift) = (UInt64(0), UInt64(0))
      while let byte = rest.popFirst() {
        value |= UInt64(byte & 0x7f) << shift
        shift += 7
        if byte < 0x80 { break }
      }
      return value
    }
    while !rest.isEmpty {
      let tag = varint()
      switch tag & 7 {
      case 0: found.append((tag >> 3, varint(), []))
      case 2:
        let count = Int(varint())
        found.append((tag >> 3, 0, rest.prefix(count)))
        rest = rest.dropFirst(count)
      default:
        let count = tag & 7 == 1 ? 8 : 4
        let number = rest.prefix(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        found.append((tag >> 3, number, []))
        rest = rest.dropFirst(count)
      }
    }
    return found
  }

  @Test func `a span is where OTLP has it`() throws {
    var span = Span(
      TraceContext(upper: 1, lower: 2, span: 3, isSampled: true), parent: 4, "process a", .consumer,
      startNanoseconds: 5, endNanoseconds: 6)
    span.attributes = [("n", .integer(-1)), ("t", .text("")), ("f", .flag(false))]
    span.links = [TraceContext(upper: 7, lower: 8, span: 9, isSampled: false)]
    span.failure = "no"
    let bytes = TraceRequest.encode([span], resource: [("service.name", .text("x"))])
    let resourceSpans = try #require(fields(bytes[...]).first?.content)
    let scope = try #require(fields(resourceSpans).first { $0.field == 2 }?.content)
    let written = fields(try #require(fields(scope).first { $0.field == 2 }?.content))
    #expect(written.map(\.field) == [1, 2, 4, 5, 6, 7, 8, 9, 9, 9, 13, 15, 16])
    #expect(Array(written[0].content) == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2])
    #expect(written[4].number == 5)
    #expect(written[5].number == 5)
    let integer = fields(try #require(fields(written[7].content).last?.content))
    #expect(integer.first?.field == 3)
    #expect(integer.first?.number == UInt64.max)
    let empty = fields(try #require(fields(written[8].content).last?.content))
    #expect(empty.first?.field == 1)
    #expect(empty.first?.content.isEmpty == true)
    #expect(fields(written[10].content).map(\.field) == [1, 2])
  }

  @Test func `the environment is read by OpenTelemetry's names`() {
    let configuration = TelemetryConfiguration(environment: [
      "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318/", "OTEL_SERVICE_NAME": "flights",
      "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25",
      "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer x, tenant=y",
    ])
    #expect(configuration.tracesURL == "http://127.0.0.1:4318/v1/traces")
    #expect(configuration.serviceName == "flights")
    #expect(configuration.sampleRatio == 0.25)
    #expect(configuration.headers.map(\.name) == ["authorization", "tenant"])
    #expect(TelemetryConfiguration(environment: ["OTEL_SDK_DISABLED": "true"]).tracesURL == nil)
  }
}
