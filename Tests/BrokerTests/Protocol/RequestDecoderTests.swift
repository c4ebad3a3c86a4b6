@testable import Broker
import Core
import NIOCore
import Testing

@Suite("Which requests are understood")
struct RequestDecoderTests {
  @Test("the table has every API once, in order, and offers what is flexible")
  func table() {
    #expect(APIVersions.table.map(\.key).sorted { $0.rawValue < $1.rawValue } == APIKey.allCases)
    for row in APIVersions.table {
      #expect(row.offered.lowerBound >= 0)
      #expect(row.firstFlexible.map { $0 <= row.offered.upperBound } ?? true)
    }
  }

  @Test("unknown keys and versions are typed errors")
  func unknown() {
    #expect(Self.reason(key: 27, version: 0) == .unknownAPI(27))
    #expect(Self.reason(key: -1, version: 0) == .unknownAPI(-1))
    #expect(Self.reason(key: 0, version: 10) == .unsupportedVersion(.produce, 10))
    #expect(Self.reason(key: 1, version: 3) == .unsupportedVersion(.fetch, 3))
    #expect(Self.reason(key: 1, version: -1) == .unsupportedVersion(.fetch, -1))
    #expect(Self.reason(key: 18, version: -1) == .unsupportedVersion(.apiVersions, -1))
  }

  @Test("Produce is offered from 0 on and refused below 3", arguments: [0, 1, 2] as [Int16])
  func oldProduce(version: Int16) {
    #expect(APIVersions.isOffered(.produce, version: version))
    #expect(Self.reason(key: 0, version: version) == .unsupportedVersion(.produce, version))
  }

  @Test("ApiVersions from the future is answered as version 0 with error 35", arguments: [4, 5, 99] as [Int16])
  func futureApiVersions(version: Int16) throws {
    // A flexible header and a body that nobody here knows.
    var frame = Self.frame(key: 18, version: version)
    frame.writeBytes([0, 0xff, 0xff, 0xff])
    let (header, request) = try RequestDecoder.decode(frame: frame)
    guard case .apiVersions = request else { throw WireReaderTests.UnexpectedRequest() }
    #expect(!APIVersions.isOffered(header.key, version: header.version))

    let answer = WireWriterTests.joined(ResponseFrame.encode(ApiVersionsResponse.unsupportedVersion, to: header))
    #expect(hex(answer) == "00000010" + "0000002a" + "0023" + "00000001" + "0012" + "0000" + "0003")
  }

  @Test("a client id of more than 1024 bytes is refused")
  func clientID() {
    var frame = ByteBuffer(bytes: [0, 18, 0, 0, 0, 0, 0, 1])
    frame.writeInteger(Int16(1025))
    frame.writeRepeatingByte(65, count: 1025)
    let error = #expect(throws: WireError.self) { try RequestDecoder.decode(frame: frame) }
    #expect(error?.reason == .tooLong(bytes: 1025, limitBytes: 1024))
  }

  @Test("every request can be refused as a whole, in every version")
  func failures() throws {
    for golden in try GoldenFrame.load("requests.tsv") {
      let (header, request) = try RequestDecoder.decode(frame: golden.bytes)
      let answer = WireWriterTests.joined(ResponseFrame.encode(request.failure(.kafkaStorageError), to: header))
      // Where nothing was asked for there is nowhere to put an error.
      if golden.variant == "full" { #expect(hex(answer).contains("0038"), "\(golden.testDescription)") }
    }
  }

  @Test("error codes have Kafka's names")
  func errorNames() {
    #expect(ErrorCode.offsetOutOfRange.name == "OFFSET_OUT_OF_RANGE")
    #expect(ErrorCode.none.name == "NONE")
    #expect(ErrorCode.invalidProducerIdMapping.name == "INVALID_PRODUCER_ID_MAPPING")
    #expect(ErrorCode.kafkaStorageError.isRetriable)
    #expect(!ErrorCode.producerFenced.isRetriable)
  }

  @Test("topic ids are random and print as Kafka prints them")
  func topicIDs() {
    let id = TopicID(high: 0x0011_2233_4455_6677, low: 0x8899_aabb_ccdd_eeff)
    #expect(id.description == "ABEiM0RVZneImaq7zN3u_w")
    #expect(TopicID.zero.description == "AAAAAAAAAAAAAAAAAAAAAA")
    var generator = SplitMix64(seed: 6)
    let ids = Set((0..<1000).map { _ in TopicID.random(using: &generator) })
    #expect(ids.count == 1000)
    #expect(ids.allSatisfy { $0.high & 0xf000 == 0x4000 && $0.low >> 62 == 2 })
  }

  private static func frame(key: Int16, version: Int16) -> ByteBuffer {
    var frame = ByteBuffer(integer: key)
    frame.writeInteger(version)
    frame.writeInteger(Int32(42))
    frame.writeInteger(Int16(-1))
    return frame
  }

  private static func reason(key: Int16, version: Int16) -> WireError.Reason? {
    do throws(WireError) {
      _ = try RequestDecoder.decode(frame: frame(key: key, version: version))
      return nil
    } catch {
      return error.reason
    }
  }
}
