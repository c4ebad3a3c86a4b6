internal import Core
internal import Glibc

extension Zone {
  enum Loading {
    case loaded(Zone)
    case unknown(nearest: String?)
    case unreadable(String)
  }

  private static let directories = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo"]
  private static let fileBytesMax = 1 << 20

  /// A zone of the system's tz database, or a fixed offset: `+02:00`.
  static func load(_ name: String) -> Loading {
    if name == "UTC" || name == "Z" { return .loaded(.utc) }
    if let offset = fixedOffset(name) { return .loaded(Zone(name: name, rules: ZoneRules(offsetSeconds: offset))) }
    guard isPlainName(name) else { return .unknown(nearest: nil) }
    var hasDatabase = false
    for directory in directories {
      guard let bytes = read("\(directory)/\(name)") else {
        hasDatabase = unsafe hasDatabase || access(directory, R_OK) == 0
        continue
      }
      guard let rules = TimeZoneFile.rules(bytes) else { return .unreadable("its file is damaged") }
      return .loaded(Zone(name: name, rules: rules))
    }
    guard hasDatabase else { return .unreadable("this system has no tz database") }
    return .unknown(nearest: NearestName.of(name, in: directories.flatMap { names(in: $0, depth: 2) }))
  }

  /// Seconds of `+02:00`, `-0330`.
  private static func fixedOffset(_ name: String) -> Int64? {
    guard let sign = name.first, sign == "+" || sign == "-" else { return nil }
    let digits = name.dropFirst().filter { $0 != ":" }
    guard digits.count == 4, digits.utf8.allSatisfy(Ascii.isDigit), let number = Int64(digits), number / 100 < 24,
      number % 100 < 60
    else { return nil }
    let seconds = (number / 100) * 3_600 + (number % 100) * 60
    return sign == "-" ? -seconds : seconds
  }

  /// Names are paths below the database's directory, and stay there.
  private static func isPlainName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count < 100 && !name.hasPrefix("/") && !name.contains("..")
      && name.utf8.allSatisfy { Ascii.continuesName($0) && $0 < 0x80 || "/+-".utf8.contains($0) }
  }

  private static func read(_ path: String) -> [UInt8]? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: fileBytesMax)
    var count = 0
    while count < bytes.count {
      let got = unsafe bytes.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count)
      }
      if got < 0 { return nil }
      if got == 0 { break }
      count += got
    }
    return Array(bytes.prefix(count))
  }

  private static func names(in directory: String, depth: Int) -> [String] {
    guard depth > 0, let stream = unsafe opendir(directory) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      // Regions begin with a capital letter; what does not is the database's own.
      guard let first = name.utf8.first, (0x41...0x5a).contains(first) else { continue }
      names.append(name)
      names += Self.names(in: "\(directory)/\(name)", depth: depth - 1).map { "\(name)/\($0)" }
    }
    return names.sorted()
  }
}
