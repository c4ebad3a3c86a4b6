internal import Core
internal import Storage

/// The names of a table's log: `_delta_log/00000000000000000007.json` and the like.
enum LogName: Hashable {
  case commit(Int64)
  /// Part `part` of `parts`, both 1 for a checkpoint in one file.
  case checkpoint(Int64, part: Int64, parts: Int64)

  static let folder = "_delta_log"

  /// No table comes this far; arithmetic on versions below it cannot overflow, whoever named a file.
  static let versionMax = Int64.max / 2

  /// - Parameter text: relative to the log's folder.
  /// - Returns: nil for everything else that may lie there: checksums, compacted logs, newer kinds of checkpoints.
  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard let first = parts.first, let version = Self.number(first, digits: 20), version <= Self.versionMax else {
      return nil
    }
    switch parts.dropFirst() {
    case ["json"]: self = .commit(version)
    case ["checkpoint", "parquet"]: self = .checkpoint(version, part: 1, parts: 1)
    default:
      guard parts.count == 5, parts[1] == "checkpoint", parts[4] == "parquet",
        let part = Self.number(parts[2], digits: 10), let count = Self.number(parts[3], digits: 10), part >= 1,
        part <= count
      else { return nil }
      self = .checkpoint(version, part: part, parts: count)
    }
  }

  var text: String {
    switch self {
    case .commit(let version): "\(Self.padded(version, 20)).json"
    case .checkpoint(let version, 1, 1): "\(Self.padded(version, 20)).checkpoint.parquet"
    case .checkpoint(let version, let part, let parts):
      "\(Self.padded(version, 20)).checkpoint.\(Self.padded(part, 10)).\(Self.padded(parts, 10)).parquet"
    }
  }

  /// What stands in front of all names of a version.
  static func prefix(_ version: Int64) -> String { padded(version, 20) }

  private static func number(_ text: Substring, digits: Int) -> Int64? {
    guard text.utf8.count == digits, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int64(text)
  }

  private static func padded(_ number: Int64, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
