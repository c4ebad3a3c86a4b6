import Core
import Testing

@testable import Broker

@Suite("Topic settings")
struct TopicConfigurationTests {
  @Test func shownDefaultsAreTheDefaults() throws {
    let shown = Dictionary(uniqueKeysWithValues: TopicConfiguration.settings.map { ($0.name, $0.defaultValue) })
    #expect(try TopicConfiguration.resolved(defaults: [:], overrides: shown) == LogConfiguration())
    #expect(shown.keys.sorted() == TopicConfiguration.settings.map(\.name))
    #expect(TopicConfiguration.settings.allSatisfy { !$0.documentation.isEmpty && !$0.brokerName.isEmpty })
  }

  @Test func overridesWinOverDefaults() throws {
    let configuration = try TopicConfiguration.resolved(
      defaults: ["retention.ms": "5", "segment.bytes": "1000"],
      overrides: ["retention.ms": "7", "cleanup.policy": " delete, compact", "min.cleanable.dirty.ratio": "0.25"])
    #expect(configuration.retentionMilliseconds == 7)
    #expect(configuration.segmentBytes == 1_000)
    #expect(configuration.cleanupPolicy == [.delete, .compact])
    #expect(configuration.minCleanableDirtyRatio == 0.25)
  }

  @Test(arguments: [
    ("retention.ms", "-2"), ("retention.ms", "x"), ("retention.ms", ""), ("segment.bytes", "13"),
    ("segment.bytes", "2147483648"),
    ("cleanup.policy", "compct"), ("cleanup.policy", ""), ("cleanup.policy", "delete,"), ("compression.type", "brotli"),
    ("message.timestamp.type", "createtime"), ("min.cleanable.dirty.ratio", "1.5"),
    ("min.cleanable.dirty.ratio", "nan"),
    ("no.such.setting", "1"), ("min.compaction.lag.ms", "99999999999999999999"),
  ])
  func badValuesAreRefused(name: String, value: String) {
    let error = #expect(throws: HeadraceError.self) {
      try TopicConfiguration.resolved(defaults: [:], overrides: [name: value])
    }
    #expect(error?.code == "INVALID_CONFIG")
    #expect(error?.message.contains(name) == true)
  }

  @Test func lagsMustNotContradict() {
    #expect(throws: HeadraceError.self) {
      try TopicConfiguration.resolved(
        defaults: [:], overrides: ["min.compaction.lag.ms": "10", "max.compaction.lag.ms": "5"])
    }
  }
}
