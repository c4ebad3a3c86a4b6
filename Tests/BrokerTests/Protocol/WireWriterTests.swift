@testable import Broker
import NIOCore
import Testing

@Suite("Writing fields")
struct WireWriterTests {
  @Test("large chunks come out uncopied and in their place", arguments: [true, false])
  func chunks(isFlexible: Bool) throws {
    let large = (0..<3).map { ByteBuffer(repeating: UInt8($0), count: 5000 + $0) }
    let small = ByteBuffer(bytes: [1, 2, 3])
    var writer = WireWriter(isFlexible: isFlexible)
    writer.int32(7)
    writer.chunks([large[0], small, large[1]])
    writer.chunks([large[2]])
    writer.int8(9)
    let pieces = writer.finish()
    #expect(writer.writtenBytes == pieces.reduce(0) { $0 + $1.readableBytes })
    #expect(pieces.filter { large.contains($0) } == large)
    #expect(pieces.count == 7)

    var reader = WireReader(Self.joined(pieces), isFlexible: isFlexible)
    let (first, records, more, last) = try (reader.int32(""), reader.bytes(""), reader.bytes(""), reader.int8(""))
    #expect(first == 7)
    #expect(records == Self.joined([large[0], small, large[1]]))
    #expect(more == large[2])
    #expect(last == 9)
    #expect(reader.remainingBytes == 0)
  }

  @Test("a frame's length counts what is not copied", arguments: [4, 12] as [Int16])
  func frameLength(version: Int16) {
    let header = RequestHeader(key: .fetch, version: version, correlationID: 5, clientID: nil)
    let partition = FetchResponse.Partition(index: 0, records: [ByteBuffer(repeating: 1, count: 1 << 20)])
    let response = FetchResponse(topics: [.init(name: "a", partitions: [partition, partition])])
    let pieces = ResponseFrame.encode(response, to: header)
    #expect(pieces.count == (version < 12 ? 4 : 5))
    var whole = Self.joined(pieces)
    let length = whole.readInteger(as: Int32.self)
    #expect(length == Int32(whole.readableBytes))
    let correlationID = whole.readInteger(as: Int32.self)
    #expect(correlationID == 5)
  }

  @Test("a text too long for the classic form loses its end, between two characters")
  func longText() throws {
    var writer = WireWriter(isFlexible: false)
    writer.string("a" + String(repeating: "\u{20ac}", count: 20_000))
    var reader = WireReader(Self.joined(writer.finish()), isFlexible: false)
    let text = try reader.string("")
    #expect(text.utf8.count == 32_767 - (32_767 - 1) % 3)
    #expect(reader.remainingBytes == 0)
  }

  static func joined(_ pieces: [ByteBuffer]) -> ByteBuffer {
    pieces.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
  }
}
