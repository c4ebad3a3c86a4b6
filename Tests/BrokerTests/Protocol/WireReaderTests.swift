@testable import Broker
import NIOCore
import Testing

@Suite("Reading fields")
struct WireReaderTests {
  @Test(
    "variable-length integers",
    arguments: [
      ([0x00], 0), ([0x7f], 127), ([0x80, 0x01], 128), ([0xff, 0xff, 0xff, 0xff, 0x0f], UInt32.max),
    ] as [([UInt8], UInt32)])
  func varint(bytes: [UInt8], value: UInt32) throws {
    var reader = Self.reader(bytes)
    #expect(try reader.unsignedVarint("n") == value)
    #expect(reader.remainingBytes == 0)
    var writer = WireWriter(isFlexible: true)
    writer.unsignedVarint(value)
    #expect(writer.finish() == [ByteBuffer(bytes: bytes)])
  }

  @Test(
    "variable-length integers of more than 32 bits",
    arguments: [[0xff, 0xff, 0xff, 0xff, 0x1f], [0x80, 0x80, 0x80, 0x80, 0x80, 0x01]] as [[UInt8]])
  func overlongVarint(bytes: [UInt8]) {
    var reader = Self.reader(bytes)
    let error = #expect(throws: WireError.self) { try reader.unsignedVarint("n") }
    #expect(error?.reason == .overlongVarint)
  }

  @Test("an error names field, place and reason")
  func errorText() {
    var reader = Self.reader([0, 0, 0, 1, 0, 9, 65], isFlexible: false)
    let error = #expect(throws: WireError.self) {
      _ = try reader.int32("first")
      _ = try reader.string("second")
    }
    #expect(error == WireError(.truncated(neededBytes: 9, remainingBytes: 1), field: "second", offset: 6))
    #expect(error?.description == "9 bytes needed, 1 left in field second at byte 6")
  }

  @Test("lengths below -1, null where there must be a value, bad UTF-8")
  func badStrings() {
    let cases: [([UInt8], WireError.Reason)] = [
      ([0xff, 0xfe], .negativeLength(-2)), ([0xff, 0xff], .unexpectedNull), ([0, 2, 0xc3, 0x28], .invalidUTF8),
    ]
    for (bytes, reason) in cases {
      var reader = Self.reader(bytes, isFlexible: false)
      let error = #expect(throws: WireError.self) { try reader.string("s") }
      #expect(error?.reason == reason)
    }
  }

  @Test("an array claims no more elements than bytes are left, nor more than a request may have")
  func elementLimits() throws {
    var reader = Self.reader([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0], isFlexible: false)
    var error = #expect(throws: WireError.self) { try reader.int32s("a") }
    #expect(error?.reason == .tooManyElements(Int(Int32.max)))

    reader = Self.reader([0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0], isFlexible: false)
    error = #expect(throws: WireError.self) { try reader.int32s("a") }
    #expect(error?.reason == .tooManyElements(2))

    var many = ByteBuffer(integer: Int32(WireReader.elementLimit))
    many.writeRepeatingByte(0, count: WireReader.elementLimit + 4)
    many.writeInteger(Int32(1))
    many.writeInteger(UInt8(0))
    var wide = WireReader(many, isFlexible: false)
    let first = try wide.array("a") { reader throws(WireError) in try reader.int8("element") }
    #expect(first.count == WireReader.elementLimit)
    _ = try wide.int32("gap")
    error = #expect(throws: WireError.self) { try wide.array("b") { reader throws(WireError) in try reader.int8("e") } }
    #expect(error?.reason == .tooManyElements(1))
  }

  @Test("byte fields share the frame's memory")
  func slices() throws {
    let frame = ByteBuffer(bytes: [0, 0, 0, 2, 7, 8, 9])
    var reader = WireReader(frame, isFlexible: false)
    let slice = try reader.bytes("records")
    #expect(slice == ByteBuffer(bytes: [7, 8]))
    let distance = unsafe slice.withUnsafeReadableBytes { inner in
      unsafe frame.withUnsafeReadableBytes { outer in
        unsafe inner.baseAddress.flatMap { start in unsafe outer.baseAddress.map { unsafe start - $0 } }
      }
    }
    #expect(distance == 4)
  }

  @Test("unknown tagged fields are skipped at every level")
  func unknownTags() throws {
    // Metadata 9 with two topics; tags 5 (three bytes) and 200 (none) after the first topic, tag 1 at the end.
    var frame = ByteBuffer(bytes: [0, 3, 0, 9, 0, 0, 0, 1, 0xff, 0xff, 1, 9, 2, 0xaa, 0xbb])
    frame.writeBytes([3, 2, 0x61, 2, 5, 3, 1, 2, 3, 0xc8, 0x01, 0, 2, 0x62, 0, 1, 0, 1, 1, 1, 4, 9, 9, 9, 9])
    let (_, request) = try RequestDecoder.decode(frame: frame)
    guard case .metadata(let metadata) = request else { throw UnexpectedRequest() }
    #expect(metadata.topics?.map(\.name) == ["a", "b"])
    #expect(metadata.allowAutoTopicCreation)
    #expect(!metadata.includeClusterAuthorizedOperations)
    #expect(metadata.includeTopicAuthorizedOperations)
  }

  struct UnexpectedRequest: Error {}

  private static func reader(_ bytes: [UInt8], isFlexible: Bool = true) -> WireReader {
    WireReader(ByteBuffer(bytes: bytes), isFlexible: isFlexible)
  }
}
