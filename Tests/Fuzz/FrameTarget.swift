internal import Broker
internal import NIOCore

/// Request frames: header and body of every API in every version that the broker offers.
struct FrameTarget: FuzzTarget {
  static let name = "frame"

  func execute(_ input: [UInt8]) throws(Violation) -> Signature {
    var signature = Signature()
    do throws(WireError) {
      let (header, _) = try Self.decode(input)
      signature.add(Int(header.key.rawValue))
      signature.add(Int(header.version))
      // A client of a later minor version may send more than is read here.
      let (again, _) = try Self.decode(input + [0xff])
      guard again == header else { throw WireError(.unknownValue(0xff), field: "a byte after the frame", offset: 0) }
    } catch {
      guard (0...input.count).contains(error.offset), error.field != "a byte after the frame" else {
        throw Violation("\(error), in a frame of \(input.count) bytes")
      }
      if error.offset > 4 { signature.add(input.prefix(4).reduce(0) { $0 << 8 | Int($1) }) }
      signature.add(error.field)
      signature.add(error.description.filter { !$0.isNumber })
    }
    return signature
  }

  /// Decodes a frame that lies in the middle of a larger buffer, as it does when a socket delivers several: what is
  /// around it must not count.
  static func decode(_ input: [UInt8]) throws(WireError) -> (RequestHeader, Request) {
    var buffer = ByteBuffer(repeating: 0x01, count: 64)
    buffer.moveReaderIndex(to: 64)
    buffer.writeBytes(input)
    var frame = buffer
    buffer.writeRepeatingByte(0x01, count: 64)
    frame = buffer.getSlice(at: 64, length: input.count) ?? frame
    return try RequestDecoder.decode(frame: frame)
  }

  /// The lowest version of each API that is served, the highest, and the first flexible one.
  func seeds() -> [Seed] {
    APIVersions.table.flatMap { row in
      let served = row.offered.compactMap { version in
        RequestGrower(key: row.key, version: version).grow().map {
          (version, Seed(name: "\(row.key)-\(version)", bytes: $0))
        }
      }
      let kept = [served.first?.0, row.firstFlexible, served.last?.0]
      return served.filter { kept.contains($0.0) }.map(\.1)
    }
  }
}
