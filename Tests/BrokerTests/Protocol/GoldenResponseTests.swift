@testable import Broker
import Foundation
import NIOCore
import Testing

/// The frames in `Golden/responses.tsv` were checked by kafka-python (`make_golden.py responses`): what it decoded was
/// what we meant. Here they must stay the same, byte for byte.
///
/// After an intended change run once with `HEADRACE_WRITE_GOLDEN=FILE`, let the script check the file, and commit it.
@Suite("Responses that an independent decoder has read")
struct GoldenResponseTests {
  @Test("bytes of every API in every version")
  func bytes() throws {
    let frames = APIVersions.table.flatMap { row in
      row.offered.flatMap { version in
        [("full", ResponseSamples.full(row.key)), ("empty", ResponseSamples.empty(row.key))].map { variant, response in
          Self.frame(response, variant: variant, key: row.key, version: version)
        }
      }
    }.filter { $0.key != .produce || $0.version >= 3 }

    if let path = ProcessInfo.processInfo.environment["HEADRACE_WRITE_GOLDEN"] {
      let text = frames.map { $0.line + "\n" }.joined()
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
    let golden = try GoldenFrame.load("responses.tsv")
    #expect(golden.count == frames.count)
    for (made, expected) in zip(frames, golden) {
      #expect(made.line == expected.line, "\(expected.testDescription)")
    }
  }

  private static func frame(
    _ response: any WireWritable, variant: String, key: APIKey, version: Int16
  ) -> GoldenFrame {
    let header = RequestHeader(key: key, version: version, correlationID: 1000 + Int32(version), clientID: nil)
    var whole = ByteBuffer()
    for piece in ResponseFrame.encode(response, to: header) { whole.writeImmutableBuffer(piece) }
    let length = whole.readInteger(as: Int32.self)
    #expect(length == Int32(whole.readableBytes))
    return GoldenFrame(key: key, version: version, variant: variant, bytes: whole, text: canonicalText(response))
  }
}
