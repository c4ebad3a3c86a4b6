internal import Core
internal import Glibc

/// What monitors go on from after a restart: their states, and where their readers stood.
struct MonitorCheckpoint {
  private static let magic: [UInt8] = Array("HRMON001".utf8)

  var offsets: [TopicPartition: Int64] = [:]
  /// By the monitors' names.
  var states: [String: [UInt8]] = [:]

  init() {}

  /// - Returns: nil when there is none, or it is damaged: then the log is read from its beginning.
  static func load(_ path: String) -> MonitorCheckpoint? {
    guard let bytes = readFile(path), bytes.count > magic.count + 8, Array(bytes[..<magic.count]) == magic else {
      return nil
    }
    let body = Array(bytes[(magic.count + 8)...])
    var reader = ByteReader(unsafe bytes.span.bytes, place: path)
    guard (try? reader.skip(magic.count)) != nil, let sum = try? reader.number(UInt64.self),
      sum == (unsafe Hash64.hash(body.span.bytes))
    else { return nil }
    return try? MonitorCheckpoint(decoding: body, place: path)
  }

  /// Durable when it returns; the one before it stays until then.
  func save(_ path: String) throws(HeadraceError) {
    var writer = ByteWriter()
    writer.number(UInt32(clamping: offsets.count))
    for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
      writer.text(partition.topic)
      writer.number(partition.partition)
      writer.number(offset)
    }
    writer.number(UInt32(clamping: states.count))
    for (name, state) in states.sorted(by: { $0.key < $1.key }) {
      writer.text(name)
      unsafe writer.block(state.span.bytes)
    }
    var head = ByteWriter()
    head.bytes = Self.magic
    unsafe head.number(Hash64.hash(writer.bytes.span.bytes))
    try Self.write(head.bytes + writer.bytes, to: "\(path).new")
    guard unsafe rename("\(path).new", path) == 0 else { throw Self.failure(path, "cannot be replaced") }
  }

  private init(decoding bytes: [UInt8], place: String) throws(HeadraceError) {
    var reader = ByteReader(unsafe bytes.span.bytes, place: place)
    for _ in 0..<(try reader.count(ofSize: 16)) {
      let partition = TopicPartition(topic: try reader.text(), partition: try reader.number())
      offsets[partition] = try reader.number()
    }
    for _ in 0..<(try reader.count(ofSize: 8)) {
      let name = try reader.text()
      states[name] = try reader.block()
    }
  }

  private static func readFile(_ path: String) -> [UInt8]? {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0, status.st_size > 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var place = 0
    while place < bytes.count {
      let (start, wanted) = (place, bytes.count - place)
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe read(file, $0.baseAddress.map { unsafe $0 + start }, wanted)
      }
      guard count > 0 else { return nil }
      place += count
    }
    return bytes
  }

  private static func write(_ bytes: [UInt8], to path: String) throws(HeadraceError) {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw failure(path, "cannot be made") }
    defer { close(file) }
    var place = 0
    while place < bytes.count {
      let start = place
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(file, $0.baseAddress.map { unsafe $0 + start }, bytes.count - start)
      }
      guard count > 0 || errno == EINTR else { throw failure(path, "cannot be written") }
      place += max(count, 0)
    }
    guard fsync(file) == 0 else { throw failure(path, "cannot be written durably") }
  }

  private static func failure(_ path: String, _ what: String) -> HeadraceError {
    HeadraceError(
      .external, "MONITOR_STATE", "\(what): error \(errno)", retry: .sameCall, place: path,
      remedy: "look after the disk of the data folder")
  }
}
