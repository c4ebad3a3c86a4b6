internal import Core
internal import Glibc

/// CPU time of all threads of the process by what they are for, threads that have ended included.
///
/// Threads of libraries (librdkafka, RocksDB, SwiftNIO) are known by the names that they give themselves. A thread that
/// ends keeps what it had when it was last looked at, so whoever keeps a ledger looks at it about once a second.
package struct ThreadLedger: Sendable {
  private struct Entry: Sendable {
    var operation: Operator
    var nanoseconds: Int64
  }

  private var living: [Int32: Entry] = [:]
  private var ended: [Operator: Int64] = [:]

  package init() {}

  /// Reads the threads of this process.
  package mutating func update() {
    var found: [(thread: Int32, name: String, nanoseconds: Int64)] = []
    for thread in Self.threads() {
      guard let nanoseconds = ThreadCPU.nanoseconds(ofThread: thread) else { continue }
      found.append((thread, Self.name(of: thread), nanoseconds))
    }
    update(found)
  }

  mutating func update(_ threads: [(thread: Int32, name: String, nanoseconds: Int64)]) {
    var next: [Int32: Entry] = [:]
    for (thread, name, nanoseconds) in threads {
      // A number that is used again has less time than the thread that had it before.
      if let former = living[thread], former.nanoseconds > nanoseconds {
        ended[former.operation, default: 0] &+= former.nanoseconds
      }
      next[thread] = Entry(operation: Self.operation(ofThread: name), nanoseconds: nanoseconds)
    }
    for (thread, entry) in living where next[thread] == nil { ended[entry.operation, default: 0] &+= entry.nanoseconds }
    living = next
  }

  /// CPU nanoseconds by operator; threads that divide their time by stages (`worker-0`, `score`) are `.poll` as a
  /// whole.
  package var totals: [Operator: Int64] {
    living.values.reduce(into: ended) { $0[$1.operation, default: 0] &+= $1.nanoseconds }
  }

  /// By the names that threads have in `Runtime`, `Kafka`, `Broker` and in the libraries below them.
  static func operation(ofThread name: String) -> Operator {
    let prefixes: [(String, Operator)] = [
      ("worker-", .poll), ("score", .poll), ("rdk:", .client), ("rocksdb:", .compaction), ("NIO-ELT", .serving),
      ("commit", .commit), ("checkpoint", .checkpoint), ("tables", .archive), ("parity", .parity),
      ("monitors", .monitoring), ("broker", .broker),
    ]
    return prefixes.first { name.hasPrefix($0.0) }?.1 ?? .housekeeping
  }

  private static func threads() -> [Int32] {
    guard let folder = unsafe opendir("/proc/self/task") else { return [] }
    defer { unsafe closedir(folder) }
    var threads: [Int32] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if let thread = Int32(name) { threads.append(thread) }
    }
    return threads
  }

  private static func name(of thread: Int32) -> String {
    guard let file = unsafe fopen("/proc/self/task/\(thread)/comm", "re") else { return "" }
    defer { unsafe fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, file) }
    return String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }
}
