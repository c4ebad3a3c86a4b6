import Core
import Glibc
import Synchronization

/// A schema registry of a few lines: one thread, one connection after the other, answers out of a table.
final class FakeRegistry: Sendable {
  struct Answer: Sendable {
    var status = 200
    var body: String
    /// Sends the head only, and leaves the rest away.
    var isCut = false
  }

  let port: UInt16
  private let socket: Int32
  private let state = Mutex(State())

  private struct State {
    var answers: [String: [Answer]] = [:]
    var requests: [String] = []
  }

  /// Listens on a free port of this machine until `stop`.
  init() throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001 as UInt32).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let handle = socket
    let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe bind(handle, address, length) == 0 && listen(handle, 16) == 0
          && getsockname(handle, address, &length) == 0
      }
    }
    guard isBound else { throw HeadraceError(.external, "TEST", "cannot listen") }
    port = UInt16(bigEndian: address.sin_port)
  }

  var url: String { "http://127.0.0.1:\(port)" }

  /// What was asked for, as `METHOD path`, with the body behind it when there is one.
  var requests: [String] { state.withLock { $0.requests } }

  /// The answers to a path, one after the other; the last one stays.
  func answer(_ path: String, _ answers: Answer...) { state.withLock { $0.answers[path] = answers } }

  func start() {
    Thread.start { [self] in
      while true {
        let connection = accept(socket, nil, nil)
        guard connection >= 0 else { break }
        serve(connection)
        close(connection)
      }
      // Only here: a number that is closed while `accept` still waits on it may be the next registry's socket by then.
      close(socket)
    }
  }

  func stop() { shutdown(socket, Int32(SHUT_RDWR)) }

  private func serve(_ connection: Int32) {
    guard let request = Self.read(connection) else { return }
    let line = request.prefix { $0 != "\r" && $0 != "\r\n" }.split(separator: " ")
    guard line.count > 1 else { return }
    let body = request.firstRange(of: "\r\n\r\n").map { String(request[$0.upperBound...]) } ?? ""
    let isAllowed =
      request.contains("authorization: Basic dXNlcjpwYXNz") || request.contains("Authorization: Basic dXNlcjpwYXNz")
    let answer = state.withLock { state -> Answer in
      state.requests.append("\(line[0]) \(line[1])" + (body.isEmpty ? "" : " \(body)"))
      guard isAllowed else { return Answer(status: 401, body: #"{"error_code":40101,"message":"who?"}"#) }
      guard var queue = state.answers[String(line[1])], let first = queue.first else {
        return Answer(status: 404, body: #"{"error_code":40403,"message":"Schema not found"}"#)
      }
      if queue.count > 1 { queue.removeFirst() }
      state.answers[String(line[1])] = queue
      return first
    }
    let head = "HTTP/1.1 \(answer.status) X\r\nContent-Length: \(answer.body.utf8.count)\r\nConnection: close\r\n\r\n"
    let bytes = Array((head + (answer.isCut ? "" : answer.body)).utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
  }

  /// A head, and as much body as it announces.
  private static func read(_ connection: Int32) -> String? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = unsafe recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      bytes += buffer[..<count]
      let text = String(decoding: bytes, as: UTF8.self)
      guard let end = text.firstRange(of: "\r\n\r\n") else { continue }
      let length = text.lowercased().firstRange(of: "content-length: ").map { range in
        Int(text.lowercased()[range.upperBound...].prefix { $0.isNumber }) ?? 0
      }
      if text[end.upperBound...].utf8.count >= length ?? 0 { return text }
    }
  }
}

/// A detached thread for a closure.
enum Thread {
  private final class Box: Sendable {
    let work: @Sendable () -> Void
    init(_ work: @escaping @Sendable () -> Void) { self.work = work }
  }

  static func start(_ work: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let box = unsafe Unmanaged.passRetained(Box(work)).toOpaque()
    let status = unsafe pthread_create(
      &thread, nil,
      { box in
        if let box = unsafe box { unsafe Unmanaged<Box>.fromOpaque(box).takeRetainedValue().work() }
        return nil
      }, box)
    if status == 0 { pthread_detach(thread) }
  }
}
