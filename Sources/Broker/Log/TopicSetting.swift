internal import Codecs
internal import Core

/// One topic setting that this broker knows, under the name that Kafka gives it.
package struct TopicSetting: Sendable {
  /// What a value must be, and where it goes.
  enum Meaning: Sendable {
    typealias Field<Value> = any WritableKeyPath<LogConfiguration, Value> & Sendable

    case milliseconds(Field<Int64>, ClosedRange<Int64>)
    case count(Field<Int64>, ClosedRange<Int64>)
    case bytes(Field<Int>, ClosedRange<Int64>)
    case ratio(Field<Double>)
    case cleanupPolicy
    case timestampType
    case compressionType
    /// Taken and shown, so that settings written for a cluster are accepted; a single node has no use for it.
    case ignored(ConfigValueKind)
  }

  package let name: String
  /// The broker-wide setting that is its default (`log.segment.bytes`).
  package let brokerName: String
  package let defaultValue: String
  package let documentation: String
  let meaning: Meaning

  package var kind: ConfigValueKind {
    switch meaning {
    case .milliseconds, .count: .int64
    case .bytes: .int32
    case .ratio: .double
    case .cleanupPolicy: .list
    case .timestampType, .compressionType: .string
    case .ignored(let kind): kind
    }
  }

  /// Sets it in a configuration.
  /// - Throws: `INVALID_CONFIG` with what was expected.
  func apply(_ value: String, to configuration: inout LogConfiguration) throws(HeadraceError) {
    let text = value.trimmed
    switch meaning {
    case .milliseconds(let path, let range), .count(let path, let range):
      configuration[keyPath: path] = try number(text, range)
    case .bytes(let path, let range): configuration[keyPath: path] = Int(try number(text, range))
    case .ratio(let path):
      guard let ratio = Double(text), (0...1).contains(ratio) else { throw invalid(value, "a number from 0 to 1") }
      configuration[keyPath: path] = ratio
    case .cleanupPolicy:
      guard let policy = LogConfiguration.CleanupPolicy(kafkaName: text) else {
        throw invalid(value, "delete, compact, or both with a comma between")
      }
      configuration.cleanupPolicy = policy
    case .timestampType:
      guard let type = LogConfiguration.TimestampType(rawValue: text) else {
        throw invalid(value, "CreateTime or LogAppendTime")
      }
      configuration.timestampType = type
    case .compressionType:
      guard let type = LogConfiguration.CompressionType(kafkaName: text) else {
        throw invalid(value, "producer, uncompressed, gzip, snappy, lz4 or zstd")
      }
      configuration.compressionType = type
    case .ignored: return
    }
  }

  private func number(_ text: String, _ range: ClosedRange<Int64>) throws(HeadraceError) -> Int64 {
    guard let number = Int64(text), range.contains(number) else {
      throw invalid(text, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private func invalid(_ found: String, _ expected: String) -> HeadraceError {
    HeadraceError(.user, "INVALID_CONFIG", "\(name): found \(found), expected \(expected)")
  }
}

extension LogConfiguration.CleanupPolicy {
  init?(kafkaName: String) {
    self = []
    for part in kafkaName.split(separator: ",", omittingEmptySubsequences: false) {
      switch String(part).trimmed {
      case "delete": insert(.delete)
      case "compact": insert(.compact)
      default: return nil
      }
    }
  }
}

extension LogConfiguration.CompressionType {
  init?(kafkaName: String) {
    switch kafkaName {
    case "producer": self = .producer
    case "uncompressed": self = .codec(.none)
    case "gzip": self = .codec(.gzip)
    case "snappy": self = .codec(.snappy)
    case "lz4": self = .codec(.lz4)
    case "zstd": self = .codec(.zstd)
    default: return nil
    }
  }
}

extension String {
  /// Without blanks around it, as Kafka reads values.
  fileprivate var trimmed: String {
    var characters = self[...]
    while characters.first?.isWhitespace == true { characters.removeFirst() }
    while characters.last?.isWhitespace == true { characters.removeLast() }
    return String(characters)
  }
}
