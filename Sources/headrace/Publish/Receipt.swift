internal import Core
internal import Kafka

/// What the broker acknowledged, and what it did not.
struct Receipt: Sendable {
  struct Partition: Equatable, Sendable {
    var records = 0
    var firstOffset = Int64.max
    var lastOffset = Int64.min
  }

  private(set) var acknowledged = 0
  private(set) var failed = 0
  private(set) var partitions: [Int32: Partition] = [:]
  /// Events that were left out because they could not be read.
  var skipped = 0
  /// Of keys and values that were handed to the producer.
  var sentBytes = 0
  var recordsWithoutKey = 0

  init() {}

  mutating func add(_ report: DeliveryReport) {
    acknowledged += report.acknowledged
    failed += report.failed
    for range in report.offsets {
      var partition = partitions[range.partition] ?? Partition()
      partition.records += range.count
      partition.firstOffset = min(partition.firstOffset, range.first)
      partition.lastOffset = max(partition.lastOffset, range.last)
      partitions[range.partition] = partition
    }
  }

  func table(topic: String) -> String {
    var table = Table([("PARTITION", .left), ("RECORDS", .right), ("FIRST OFFSET", .right), ("LAST OFFSET", .right)])
    for (number, partition) in partitions.sorted(by: { $0.key < $1.key }) {
      table.append([
        "\(topic)/\(number)", Figures.grouped(partition.records), "\(partition.firstOffset)", "\(partition.lastOffset)",
      ])
    }
    return table.text
  }

  func json(topic: String, milliseconds: Int64) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("topic")
      writer.string(topic)
      writer.key("acknowledged")
      writer.number(acknowledged)
      writer.key("failed")
      writer.number(failed)
      writer.key("skipped")
      writer.number(skipped)
      writer.key("without_key")
      writer.number(recordsWithoutKey)
      writer.key("bytes")
      writer.number(sentBytes)
      writer.key("milliseconds")
      writer.number(milliseconds)
      writer.key("partitions")
      writer.array { writer in
        for (number, partition) in partitions.sorted(by: { $0.key < $1.key }) {
          writer.object { writer in
            writer.key("partition")
            writer.number(number)
            writer.key("records")
            writer.number(partition.records)
            writer.key("first_offset")
            writer.number(partition.firstOffset)
            writer.key("last_offset")
            writer.number(partition.lastOffset)
          }
        }
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  /// One line that says it all.
  func summary(topic: String, milliseconds: Int64) -> String {
    let seconds = max(Double(milliseconds), 1) / 1_000
    var text = "published \(Figures.grouped(acknowledged)) records (\(Figures.bytes(Double(sentBytes)))) to \(topic)"
    text += " in \(Figures.duration(milliseconds: milliseconds)): \(Figures.short(Double(acknowledged) / seconds))"
    text += " records/s, \(Figures.bytes(Double(sentBytes) / seconds))/s"
    if skipped > 0 { text += "; \(Figures.grouped(skipped)) skipped" }
    if recordsWithoutKey > 0 { text += "; \(Figures.grouped(recordsWithoutKey)) without key" }
    if failed > 0 { text += "; \(Figures.grouped(failed)) NOT acknowledged" }
    return text
  }
}

/// Where records came from, until their delivery is reported.
struct Origins: Sendable {
  private struct Batch: Sendable {
    var file: String
    var lines: [Int]
  }

  private var open: [UInt32: Batch] = [:]

  init() {}

  mutating func add(batch: UInt32, file: String, lines: [Int]) { open[batch] = Batch(file: file, lines: lines) }

  /// Closes the batch's account.
  ///
  /// - Returns: `FILE:LINE: why`, for each record that failed.
  mutating func settle(_ report: DeliveryReport) -> [String] {
    guard let batch = open.removeValue(forKey: report.batch) else { return [] }
    return report.failures.map { failure in
      let line = batch.lines.indices.contains(failure.index) ? "\(batch.lines[failure.index])" : "?"
      let doubt = failure.mayBeStored ? "; the log may hold it nevertheless" : ""
      return "\(batch.file):\(line): not acknowledged: \(failure.code.explanation) [\(failure.code)]\(doubt)"
    }
  }
}
