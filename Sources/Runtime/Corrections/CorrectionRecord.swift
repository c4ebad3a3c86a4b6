package import Core

/// Who had which predictions made again, by which version, and why: one record of the control topic, in the same
/// transaction as the last of its corrections.
package struct CorrectionRecord: Sendable, Equatable {
  /// The same for the same work: whoever asks again hears that it is done.
  package var id: String
  package var topology: String
  package var model: String
  /// In the registry.
  package var version: Int
  package var contentHash: String
  /// The topic of the events.
  package var topic: String
  /// Offsets of events, by partition.
  package var ranges: [Int32: Range<Int64>]
  package var actor: String
  package var reason: String
  /// How many predictions the ranges have, and how many of them were given another revision by this command.
  package var predictionCount: Int64
  package var correctedCount: Int64
  package var atMilliseconds: Int64

  package init(
    id: String, topology: String, model: String, version: Int, contentHash: String, topic: String,
    ranges: [Int32: Range<Int64>], actor: String, reason: String, predictionCount: Int64 = 0,
    correctedCount: Int64 = 0, atMilliseconds: Int64
  ) {
    self.id = id
    self.topology = topology
    self.model = model
    self.version = version
    self.contentHash = contentHash
    self.topic = topic
    self.ranges = ranges
    self.actor = actor
    self.reason = reason
    self.predictionCount = predictionCount
    self.correctedCount = correctedCount
    self.atMilliseconds = atMilliseconds
  }
}

extension CorrectionRecord {
  package var encoded: [UInt8] {
    var writer = JSONWriter()
    write(to: &writer)
    return writer.bytes
  }

  package func write(to writer: inout JSONWriter) {
    writer.object { json in
      json.member("id", id)
      json.member("topology", topology)
      json.member("model", model)
      json.member("version", version)
      json.member("model_version", contentHash)
      json.member("topic", topic)
      json.key("ranges")
      json.array { list in
        for (partition, range) in ranges.sorted(by: { $0.key < $1.key }) {
          list.object { json in
            json.member("partition", partition)
            json.member("from", range.lowerBound)
            json.member("to", range.upperBound)
          }
        }
      }
      json.member("actor", actor)
      json.member("reason", reason)
      json.member("predictions", predictionCount)
      json.member("corrected", correctedCount)
      json.member("at_ms", atMilliseconds)
    }
  }

  /// - Returns: nil of what is no such record.
  init?(json bytes: [UInt8]) {
    guard let document = try? JSONDocument(bytes, depthMax: 8), let id = document["id"]?.string,
      let topology = document["topology"]?.string, let model = document["model"]?.string,
      let version = document["version"]?.integer, let hash = document["model_version"]?.string,
      let topic = document["topic"]?.string, case .array(let parts)? = document["ranges"]?.content
    else { return nil }
    var ranges: [Int32: Range<Int64>] = [:]
    for part in parts {
      guard let partition = part["partition"]?.integer.flatMap({ Int32(exactly: $0) }),
        let from = part["from"]?.integer, let to = part["to"]?.integer, from <= to
      else { return nil }
      ranges[partition] = from..<to
    }
    self.init(
      id: id, topology: topology, model: model, version: Int(clamping: version), contentHash: hash, topic: topic,
      ranges: ranges, actor: document["actor"]?.string ?? "", reason: document["reason"]?.string ?? "",
      predictionCount: document["predictions"]?.integer ?? 0, correctedCount: document["corrected"]?.integer ?? 0,
      atMilliseconds: document["at_ms"]?.integer ?? 0)
  }
}
