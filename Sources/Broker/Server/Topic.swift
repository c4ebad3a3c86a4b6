/// One topic that exists: its identity, its settings and its partitions.
final class Topic {
  let name: String
  let id: TopicID
  /// The settings that were made for this topic, by Kafka's names; all others follow the broker's defaults.
  var overrides: [String: String]
  var configuration: LogConfiguration
  /// How many partitions the journal says there are; `partitions` follows once their logs are open.
  var journaledPartitionCount: Int32 = 0
  var partitions: [Partition] = []

  init(name: String, id: TopicID, overrides: [String: String], configuration: LogConfiguration) {
    self.name = name
    self.id = id
    self.overrides = overrides
    self.configuration = configuration
  }

  func partition(_ index: Int32) -> Partition? {
    index >= 0 && Int(index) < partitions.count ? partitions[Int(index)] : nil
  }
}

/// One partition: its log and the fetches that wait for it to grow.
final class Partition {
  let index: Int32
  let log: PartitionLog
  var waitingFetches: [WaitingFetch] = []
  /// Whether the background worker is at work on this partition's files; one job at a time.
  var isUnderMaintenance = false

  init(index: Int32, log: PartitionLog) {
    self.index = index
    self.log = log
  }
}
