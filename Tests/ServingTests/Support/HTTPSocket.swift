import Core
import Glibc
import Kafka

/// A TCP connection that says exactly what a test wants to say, whole requests or not.
///
/// Calls block: each runs on a thread of its own, never on Swift's pool.
final class HTTPSocket: Sendable {
  struct Answer: Sendable {
    var status: Int
    /// Names in lower case.
    var headers: [String: String]
    var body: String
  }

  struct Closed: Error {}

  private let descriptor: Int32
  private let thread: BlockingThread

  init(port: Int) async throws {
    let thread = try BlockingThread(name: "http-test")
    self.thread = thread
    descriptor = try await thread.run {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(UInt16(clamping: port)).bigEndian
      address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
      let result = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      guard result == 0 else { throw Closed() }
      // Nothing in a test takes longer; a server that hangs fails the test.
      var timeout = timeval(tv_sec: 20, tv_usec: 0)
      unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
      return descriptor
    }
  }

  deinit { close(descriptor) }

  func send(_ text: String) async throws { try await send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) async throws { try await send(bytes, on: thread) }

  /// Sends while others read.
  func sendAside(_ text: String) async throws {
    try await send(Array(text.utf8), on: try BlockingThread(name: "http-send"))
  }

  private func send(_ bytes: [UInt8], on thread: BlockingThread) async throws {
    let descriptor = descriptor
    try await thread.run {
      var sent = 0
      while sent < bytes.count {
        let count = unsafe bytes[sent...].withUnsafeBytes {
          unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { throw Closed() }
        sent += count
      }
    }
  }

  /// Reads until the peer closes; what it said.
  func readToEnd() async throws -> String {
    let descriptor = descriptor
    return try await thread.run {
      var text: [UInt8] = []
      while let more = Self.receive(descriptor), !more.isEmpty { text += more }
      return String(decoding: text, as: UTF8.self)
    }
  }

  /// Reads one answer.
  func read() async throws -> Answer {
    let descriptor = descriptor
    return try await thread.run {
      var bytes: [UInt8] = []
      while true {
        if let answer = Self.answer(in: bytes) { return answer }
        guard let more = Self.receive(descriptor), !more.isEmpty else { throw Closed() }
        bytes += more
      }
    }
  }

  /// Reads so many whole answers, as they came. Nothing but these may be on its way.
  func readRaw(_ count: Int) async throws -> [String] {
    let descriptor = descriptor
    return try await thread.run {
      var answers: [String] = []
      var bytes: [UInt8] = []
      while answers.count < count {
        guard let more = Self.receive(descriptor), !more.isEmpty else { throw Closed() }
        bytes += more
        var start = 0
        while let length = Self.lengthOfAnswer(in: bytes[start...]) {
          answers.append(String(decoding: bytes[start..<start + length], as: UTF8.self))
          start += length
        }
        bytes.removeFirst(start)
      }
      return answers
    }
  }

  func readRaw() async throws -> String { try await readRaw(1)[0] }

  private static func receive(_ descriptor: Int32) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
    return count < 0 ? nil : Array(buffer[..<count])
  }

  private static func answer(in bytes: [UInt8]) -> Answer? {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n") else { return nil }
    let lines = text[..<end.lowerBound].split(separator: "\r\n")
    guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
    }
    let body = text[end.upperBound...]
    let length = headers["content-length"].flatMap { Int($0) } ?? 0
    return body.utf8.count >= length ? Answer(status: status, headers: headers, body: String(body)) : nil
  }

  /// Nil while the answer is not whole.
  private static func lengthOfAnswer(in bytes: ArraySlice<UInt8>) -> Int? {
    guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
    let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).lowercased()
    let length = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }.flatMap {
      Int($0.dropFirst(15).drop { $0 == " " })
    }
    let count = end.upperBound - bytes.startIndex + (length ?? 0)
    return count <= bytes.count ? count : nil
  }

  // MARK: Whole requests

  func get(_ path: String) async throws -> Answer {
    try await send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return try await read()
  }

  func post(_ path: String, _ body: String, headers: String = "") async throws -> Answer {
    try await send(
      "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\(headers)"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    return try await read()
  }
}

extension String {
  fileprivate func range(of text: String) -> Range<String.Index>? { firstRange(of: text) }
}
