/// Which records a reader may see.
package enum IsolationLevel: Int8, Sendable {
  case readUncommitted = 0
  /// Up to the last stable offset, and told which transactions were aborted.
  case readCommitted = 1
}

/// What a `FindCoordinator` key names.
package struct CoordinatorKind: RawRepresentable, Hashable, Sendable {
  package let rawValue: Int8
  package init(rawValue: Int8) { self.rawValue = rawValue }

  package static let group = CoordinatorKind(rawValue: 0)
  package static let transaction = CoordinatorKind(rawValue: 1)
}

/// What a configuration belongs to.
package struct ConfigResourceKind: RawRepresentable, Hashable, Sendable {
  package let rawValue: Int8
  package init(rawValue: Int8) { self.rawValue = rawValue }

  package static let unknown = ConfigResourceKind(rawValue: 0)
  package static let topic = ConfigResourceKind(rawValue: 2)
  package static let broker = ConfigResourceKind(rawValue: 4)
}

/// Where a configuration value comes from.
package struct ConfigSource: RawRepresentable, Hashable, Sendable {
  package let rawValue: Int8
  package init(rawValue: Int8) { self.rawValue = rawValue }

  package static let unknown = ConfigSource(rawValue: -1)
  package static let topic = ConfigSource(rawValue: 1)
  package static let staticBroker = ConfigSource(rawValue: 4)
  package static let defaultValue = ConfigSource(rawValue: 5)
}

/// The type of a configuration value, for tools that show it.
package struct ConfigValueKind: RawRepresentable, Hashable, Sendable {
  package let rawValue: Int8
  package init(rawValue: Int8) { self.rawValue = rawValue }

  package static let unknown = ConfigValueKind(rawValue: 0)
  package static let boolean = ConfigValueKind(rawValue: 1)
  package static let string = ConfigValueKind(rawValue: 2)
  package static let int32 = ConfigValueKind(rawValue: 3)
  package static let int16 = ConfigValueKind(rawValue: 4)
  package static let int64 = ConfigValueKind(rawValue: 5)
  package static let double = ConfigValueKind(rawValue: 6)
  package static let list = ConfigValueKind(rawValue: 7)
}

/// What `IncrementalAlterConfigs` does with one entry.
package struct ConfigOperation: RawRepresentable, Hashable, Sendable {
  package let rawValue: Int8
  package init(rawValue: Int8) { self.rawValue = rawValue }

  package static let set = ConfigOperation(rawValue: 0)
  package static let delete = ConfigOperation(rawValue: 1)
  package static let append = ConfigOperation(rawValue: 2)
  package static let subtract = ConfigOperation(rawValue: 3)
}

extension WireReader {
  mutating func isolationLevel(_ field: String) throws(WireError) -> IsolationLevel {
    let number = try int8(field)
    guard let level = IsolationLevel(rawValue: number) else { throw error(.unknownValue(Int(number)), field) }
    return level
  }
}

/// "Authorized operations were not asked for", as every version's schema documents it.
package let unknownAuthorizedOperations = Int32.min
