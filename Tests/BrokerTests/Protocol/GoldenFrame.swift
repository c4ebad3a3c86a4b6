@testable import Broker
import Foundation
import NIOCore
import Testing

/// One line of a file in `Golden`: a frame, and what it says.
struct GoldenFrame: CustomTestStringConvertible {
  var key: APIKey
  var version: Int16
  var variant: String
  var bytes: ByteBuffer
  /// The message as `canonicalText` writes it.
  var text: String

  var testDescription: String { "\(key) v\(version) \(variant)" }

  var line: String { [String(key.rawValue), String(version), variant, hex(bytes), text].joined(separator: "\t") }

  static func load(_ name: String) throws -> [GoldenFrame] {
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name)")
    return try String(contentsOf: path, encoding: .utf8).split(separator: "\n").map { line in
      let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard columns.count == 5, let number = Int16(columns[0]), let key = APIKey(rawValue: number),
        let version = Int16(columns[1]), let bytes = ByteBuffer(hex: columns[3])
      else { throw MalformedLine(text: String(line.prefix(80))) }
      return GoldenFrame(key: key, version: version, variant: columns[2], bytes: bytes, text: columns[4])
    }
  }

  struct MalformedLine: Error { var text: String }
}

extension ByteBuffer {
  init?(hex text: String) {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    self.init()
    for index in stride(from: 0, to: digits.count, by: 2) {
      let pair = String(decoding: digits[index..<index + 2], as: UTF8.self)
      guard let byte = UInt8(pair, radix: 16) else { return nil }
      writeInteger(byte)
    }
  }
}
