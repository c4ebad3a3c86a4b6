package import Columns

package enum FeatureStatus: String, Sendable {
  case present = "PRESENT"
  case nullValue = "NULL_VALUE"
  case notFound = "NOT_FOUND"
  case outsideMaxAge = "OUTSIDE_MAX_AGE"
}
package struct FeatureFlags: OptionSet, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }
  package static let tile = FeatureFlags(rawValue: 1)
  package static let approximate = FeatureFlags(rawValue: 2)
  package static let beforeHorizon = FeatureFlags(rawValue: 4)
}
package struct FeatureValue: Sendable, Equatable {
  package var value: Value
  package var status: FeatureStatus
  package var eventTimeMilliseconds: Int64?
  package var flags: FeatureFlags = []
  package init(value: Value, status: FeatureStatus, eventTimeMilliseconds: Int64?, flags: FeatureFlags = []) {
    self.value = value
    self.status = status
    self.eventTimeMilliseconds = eventTimeMilliseconds
    self.flags = flags
  }
  package static let notFound = FeatureValue(value: .null, status: .notFound, eventTimeMilliseconds: nil)
}
package struct EntityKey: Hashable, Sendable {
  package let bytes: [UInt8]
  package init(bytes: [UInt8]) { self.bytes = bytes }
  package static func encode(_ parts: [Value]) -> EntityKey? {
    var bytes: [UInt8] = []
    for part in parts {
      switch part {
      case .string(let text): bytes += Array(text.utf8)
      case .integer(let number): bytes += Array(String(number).utf8)
      default: return nil
      }
      bytes.append(0)
    }
    return EntityKey(bytes: parts.count == 1 ? bytes.dropLast() : bytes)
  }
}
