internal import Core
internal import Glibc

/// What this machine gives: room on disk, descriptors, a clock, ports, time zones. Facts are read in one place and
/// judged in another, so that the judgement can be tested.
enum MachineChecks {
  private static let freeBytesMin: UInt64 = 1 << 30
  private static let freeShareMin = 0.05
  private static let descriptorsMin: UInt64 = 4_096
  private static let zonesFolder = "/usr/share/zoneinfo"

  static func all(dataDirectory: String) -> [Finding] {
    [
      disk(dataDirectory), descriptors(softLimit: descriptorLimit()), timeZones(hasFolder: isFolder(zonesFolder)),
    ]
  }

  // MARK: Disk

  struct Disk: Sendable {
    /// The folder, or the nearest one above it that is there.
    var folder: String
    var freeBytes: UInt64
    var totalBytes: UInt64
    var isWritable: Bool
  }

  private static func disk(_ dataDirectory: String) -> Finding {
    guard let disk = readDisk(dataDirectory) else {
      return Finding(
        "disk", .error, "nothing is known of \(dataDirectory)", fix: "name a folder by --data that can be made")
    }
    return judge(disk, dataDirectory: dataDirectory)
  }

  static func judge(_ disk: Disk, dataDirectory: String) -> Finding {
    let free = Figures.bytes(Double(disk.freeBytes))
    guard disk.isWritable else {
      return Finding(
        "disk", .error, "\(disk.folder) cannot be written by this user",
        fix: "change its owner, or name another folder by --data")
    }
    let share = disk.totalBytes > 0 ? Double(disk.freeBytes) / Double(disk.totalBytes) : 0
    guard disk.freeBytes >= freeBytesMin else {
      return Finding(
        "disk", .error, "\(free) free for \(dataDirectory)",
        fix: "free at least 1 GiB, or move the data folder by --data: a full disk stops the worker")
    }
    guard share >= freeShareMin else {
      return Finding(
        "disk", .warning, "\(free) free for \(dataDirectory), \(Figures.fixed(share * 100, 1)) % of the disk",
        fix: "watch it: a full disk stops the worker")
    }
    return .ok("disk", "\(free) free for \(dataDirectory)")
  }

  private static func readDisk(_ path: String) -> Disk? {
    var folder = path
    var status = statvfs()
    while unsafe statvfs(folder, &status) != 0 {
      guard errno == ENOENT, let parent = parent(of: folder) else { return nil }
      folder = parent
    }
    let block = UInt64(status.f_frsize)
    return Disk(
      folder: folder, freeBytes: UInt64(status.f_bavail).multipliedReportingOverflow(by: block).partialValue,
      totalBytes: UInt64(status.f_blocks).multipliedReportingOverflow(by: block).partialValue,
      isWritable: unsafe access(folder, W_OK | X_OK) == 0)
  }

  private static func parent(of path: String) -> String? {
    guard path != "/", path != "." else { return nil }
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  // MARK: Limits

  private static func descriptorLimit() -> UInt64 {
    var limit = rlimit()
    return unsafe getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit) == 0
      ? UInt64(limit.rlim_cur) : 0
  }

  static func descriptors(softLimit: UInt64) -> Finding {
    guard softLimit >= descriptorsMin else {
      return Finding(
        "descriptors", .warning, "a process may open \(softLimit) files and sockets",
        fix: "raise it: ulimit -n 65536, or LimitNOFILE=65536 in the unit")
    }
    return .ok("descriptors", "a process may open \(Figures.grouped(Int(clamping: softLimit))) files and sockets")
  }

  static func timeZones(hasFolder: Bool) -> Finding {
    guard hasFolder else {
      return Finding(
        "time zones", .warning, "there is no \(zonesFolder)",
        fix: "install tzdata: expressions such as hour_of(ts, 'America/New_York') need it")
    }
    return .ok("time zones", "the system's database is there")
  }

  // MARK: Clock

  /// A record from the future means that some clock is wrong: its producer's, or this one.
  ///
  /// - Parameter newest: topic and timestamp of the newest record; nil when there is none.
  static func clock(newest: (topic: String, timestampMilliseconds: Int64)?, nowMilliseconds: Int64) -> Finding {
    let tolerance: Int64 = 60_000
    guard let newest else { return .ok("clock", "no record to hold it against") }
    let ahead = newest.timestampMilliseconds.subtractingReportingOverflow(nowMilliseconds).partialValue
    guard ahead > tolerance else { return .ok("clock", "no record is from the future") }
    return Finding(
      "clock", .error,
      "the newest record of \(newest.topic) is \(Figures.duration(milliseconds: ahead)) ahead of this machine's clock",
      fix: "compare both clocks (timedatectl); keep producers honest by message.timestamp.after.max.ms on the topic")
  }

  // MARK: Ports

  enum Port: Sendable { case free, served, taken, refused(Int32) }

  static func judge(_ port: Port, address: String) -> Finding {
    switch port {
    case .free: return .ok("port", "\(address) is free")
    case .served: return .ok("port", "a Headrace answers on \(address)")
    case .taken:
      return Finding(
        "port", .error, "somebody else listens on \(address)", fix: "stop it, or choose another address by --listen")
    case .refused(let code):
      let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "errno \(code)"
      return Finding(
        "port", .error, "\(address) cannot be bound: \(reason.lowercased())", fix: "choose another address by --listen")
    }
  }

  /// Whether a server could bind this address now; IPv4 only, as a name is not looked up.
  static func bindable(host: String, port: Int) -> Port {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
    guard unsafe inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &address.sin_addr) == 1 else {
      return .free
    }
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return .refused(errno) }
    defer { close(descriptor) }
    var reuse: Int32 = 1
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
    let code = unsafe withUnsafeBytes(of: &address) { bytes in
      guard let base = unsafe bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return Int32(-1) }
      return unsafe bind(descriptor, base, socklen_t(bytes.count))
    }
    if code == 0 { return .free }
    return errno == EADDRINUSE ? .taken : .refused(errno)
  }
}
