internal import Core

/// The bytes of a commit: one action a line.
enum CommitText {
  static func bytes(_ actions: [LogAction]) -> [UInt8] {
    var bytes: [UInt8] = []
    var writer = JSONWriter()
    for action in actions {
      writer.reset()
      action.write(to: &writer)
      bytes += writer.bytes
      bytes.append(UInt8(ascii: "\n"))
    }
    return bytes
  }
}

extension CommitDescription {
  /// With an id of its own in it, so that no two commits are the same bytes: a writer that does not know whether it won
  /// a version reads it and compares.
  func commitInfo(nowMilliseconds: Int64, isBlindAppend: Bool = false) -> CommitInfo {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("timestamp", nowMilliseconds)
      writer.member("operation", operation)
      writer.key("operationParameters")
      writer.object { writer in
        for parameter in parameters { writer.member(parameter.name, parameter.value) }
      }
      writer.key("isBlindAppend")
      writer.boolean(isBlindAppend)
      writer.key("operationMetrics")
      writer.object { writer in
        for metric in metrics { writer.member(metric.name, String(metric.value)) }
      }
      writer.member("engineInfo", "Headrace")
      writer.member("txnId", UniqueID.random())
      if let provenance {
        writer.key("headrace")
        provenance.write(to: &writer)
      }
    }
    return CommitInfo(
      timestampMilliseconds: nowMilliseconds, operation: operation, json: String(decoding: writer.bytes, as: UTF8.self))
  }
}

extension CommitProvenance {
  fileprivate func write(to writer: inout JSONWriter) {
    let topics = Dictionary(grouping: offsets) { $0.topic }.sorted { $0.key < $1.key }
    writer.object { writer in
      writer.key("offsets")
      writer.object { writer in
        for (topic, offsets) in topics {
          writer.key(topic)
          writer.object { writer in
            for offset in offsets.sorted(by: { $0.partition < $1.partition }) {
              writer.member(String(offset.partition), offset.offset)
            }
          }
        }
      }
      if let watermarkMilliseconds { writer.member("watermark", watermarkMilliseconds) }
      if let planFingerprint { writer.member("planFingerprint", planFingerprint) }
    }
  }

  /// Reads back what a commit of ours says; nil for other writers' commits.
  package init?(_ info: CommitInfo) {
    guard let document = try? JSONDocument(Array(info.json.utf8), depthMax: 64), let ours = document["headrace"] else {
      return nil
    }
    if case .object(let topics)? = ours["offsets"]?.content {
      for topic in topics {
        guard case .object(let partitions) = topic.value.content else { continue }
        for member in partitions {
          guard let partition = Int32(member.name), let offset = member.value.integer else { continue }
          offsets.append(TopicPartitionOffset(topic: topic.name, partition: partition, offset: offset))
        }
      }
    }
    watermarkMilliseconds = ours["watermark"]?.integer
    planFingerprint = ours["planFingerprint"]?.string
  }
}

/// Names that nobody else gives (RFC 9562, version 4).
enum UniqueID {
  static func random() -> String {
    var bytes = (0..<16).map { _ in UInt8.random(in: 0...255) }
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
      text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return String(decoding: text, as: UTF8.self)
  }
}
