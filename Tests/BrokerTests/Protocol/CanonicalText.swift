@testable import Broker
import NIOCore

/// Any protocol value as JSON with sorted keys: bytes and ids in hex, codes as numbers. What `make_golden.py` writes.
func canonicalText(_ value: Any) -> String {
  switch value {
  case let text as String: quoted(text)
  case let flag as Bool: flag ? "true" : "false"
  case let number as any BinaryInteger: "\(number)"
  case let bytes as ByteBuffer: quoted(hex(bytes))
  case let pieces as [ByteBuffer] where type(of: value) == [ByteBuffer].self: quoted(pieces.map(hex).joined())
  case let id as TopicID: quoted(hex(ByteBuffer(integer: id.high)) + hex(ByteBuffer(integer: id.low)))
  case let code as any RawRepresentable: canonicalText(code.rawValue)
  default: canonicalText(children: Mirror(reflecting: value))
  }
}

private func canonicalText(children mirror: Mirror) -> String {
  switch mirror.displayStyle {
  case .optional: mirror.children.first.map { canonicalText($0.value) } ?? "null"
  case .collection: "[" + mirror.children.map { canonicalText($0.value) }.joined(separator: ",") + "]"
  default:
    "{"
      + mirror.children.map { (name: $0.label ?? "?", text: canonicalText($0.value)) }
      .sorted { $0.name < $1.name }
      .map { "\(quoted($0.name)):\($0.text)" }.joined(separator: ",") + "}"
  }
}

private func quoted(_ text: String) -> String {
  "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
}

func hex(_ bytes: ByteBuffer) -> String {
  bytes.readableBytesView.map { byte in
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }.joined()
}
