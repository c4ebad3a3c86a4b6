@testable import Broker
import NIOCore
import Testing

/// Frames that kafka-python encoded: all APIs, all versions, rich and empty.
@Suite("Requests of an independent encoder")
struct GoldenRequestTests {
  @Test("every field is read as it was meant")
  func values() throws {
    for golden in try GoldenFrame.load("requests.tsv") {
      let (header, request) = try RequestDecoder.decode(frame: golden.bytes)
      #expect(header.key == golden.key)
      #expect(header.version == golden.version)
      #expect(header.correlationID == 1000 + Int32(golden.version))
      #expect(header.clientID == (golden.variant == "full" ? "golden" : nil))
      #expect(canonicalText(request.message) == golden.text, "\(golden.testDescription)")
    }
  }

  @Test("every version on offer is covered, but for Produce 0...2")
  func coverage() throws {
    let covered = Set(try GoldenFrame.load("requests.tsv").map { "\($0.key) \($0.version)" })
    for row in APIVersions.table {
      for version in row.offered where row.key != .produce || version >= 3 {
        #expect(covered.contains("\(row.key) \(version)"))
      }
    }
  }

  @Test("a frame is read to its last byte, and bytes behind it do no harm")
  func trailingBytes() throws {
    for golden in try GoldenFrame.load("requests.tsv") {
      var longer = golden.bytes
      longer.writeInteger(UInt64.max)
      let (_, request) = try RequestDecoder.decode(frame: longer)
      #expect(canonicalText(request.message) == golden.text)

      let shorter = try #require(golden.bytes.getSlice(at: 0, length: golden.bytes.readableBytes - 1))
      #expect(throws: WireError.self, "\(golden.testDescription)") { try RequestDecoder.decode(frame: shorter) }
    }
  }
}
