import Glibc
import Synchronization

/// A small HTTP endpoint that does what a test tells it to, request by request. One thread for each connection.
@safe
final class StubEndpoint: Sendable {
  enum Reply: Sendable {
    case answer(Int, [(String, String)], String)
    /// The head promises more than there is.
    case truncated(String)
    /// A byte at a time, so far apart.
    case drip(String, pauseMilliseconds: Int)
    case hang
    case disconnect
  }

  struct Request: Sendable {
    var path: String
    var headers: [String: String]
    var body: String
    /// How many came before it.
    var number: Int
  }

  let port: UInt16
  private let socket: Int32
  private let state = Mutex<(requests: [Request], open: Set<Int32>, concurrent: Int, most: Int)>(([], [], 0, 0))
  private let reply: @Sendable (Request) -> Reply

  var requests: [Request] { state.withLock { $0.requests } }
  /// The most requests that were under way at the same time.
  var concurrencyMost: Int { state.withLock { $0.most } }
  var url: String { "http://127.0.0.1:\(port)" }

  init(_ reply: @escaping @Sendable (Request) -> Reply) throws {
    self.reply = reply
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = socket
    let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        let isListening = unsafe bind(descriptor, address, length) == 0 && listen(descriptor, 64) == 0
        return unsafe isListening && getsockname(descriptor, address, &length) == 0
      }
    }
    guard isBound else { throw Failure() }
    port = UInt16(bigEndian: address.sin_port)
    Self.onThread { [weak self] in
      while true {
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0, let self else { return }
        Self.onThread { self.serve(connection) }
      }
    }
  }

  struct Failure: Error {}

  func close() {
    shutdown(socket, Int32(SHUT_RDWR))
    Glibc.close(socket)
    for connection in state.withLock({ $0.open }) { shutdown(connection, Int32(SHUT_RDWR)) }
  }

  private func serve(_ connection: Int32) {
    state.withLock { _ = $0.open.insert(connection) }
    defer {
      state.withLock { _ = $0.open.remove(connection) }
      Glibc.close(connection)
    }
    var buffer: [UInt8] = []
    while let request = read(connection, &buffer) {
      state.withLock { state in
        state.concurrent += 1
        state.most = max(state.most, state.concurrent)
      }
      defer { state.withLock { $0.concurrent -= 1 } }
      switch reply(request) {
      case .answer(let status, let headers, let body):
        let lines = headers.map { "\($0.0): \($0.1)\r\n" }.joined()
        send(connection, "HTTP/1.1 \(status) X\r\n\(lines)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
      case .truncated(let body):
        send(connection, "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count + 100)\r\n\r\n\(body)")
        return
      case .drip(let body, let pause):
        send(connection, "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
        for byte in body.utf8 {
          usleep(UInt32(pause) * 1_000)
          guard send(connection, String(decoding: [byte], as: UTF8.self)) else { return }
        }
      case .hang:
        var byte: UInt8 = 0
        while unsafe recv(connection, &byte, 1, 0) > 0 {}
        return
      case .disconnect: return
      }
    }
  }

  private func read(_ connection: Int32, _ buffer: inout [UInt8]) -> Request? {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let text = String(decoding: buffer, as: UTF8.self)
      if let end = text.firstRange(of: "\r\n\r\n") {
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
          let parts = line.split(separator: ":", maxSplits: 1)
          headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        let head = text.utf8.distance(from: text.utf8.startIndex, to: end.upperBound)
        let length = Int(headers["content-length"] ?? "0") ?? 0
        if buffer.count >= head + length {
          let body = String(decoding: buffer[head..<head + length], as: UTF8.self)
          buffer.removeFirst(head + length)
          let path = String(lines[0].split(separator: " ")[1])
          return state.withLock { state in
            let request = Request(path: path, headers: headers, body: body, number: state.requests.count)
            state.requests.append(request)
            return request
          }
        }
      }
      let count = unsafe recv(connection, &chunk, chunk.count, 0)
      guard count > 0 else { return nil }
      buffer += chunk[..<count]
    }
  }

  @discardableResult
  private func send(_ connection: Int32, _ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return unsafe Glibc.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
  }

  static func onThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
      let body: @Sendable () -> Void
      init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let argument = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
    unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument { unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, argument)
    pthread_detach(thread)
  }
}

/// Set once, by whichever thread.
final class Flag: Sendable {
  private let value = Mutex(false)

  var isSet: Bool { value.withLock { $0 } }
  func set() { value.withLock { $0 = true } }
}
