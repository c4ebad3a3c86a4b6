/// Which records of a source a row was made of: a prefix of each partition of its topic.
package struct LogPrefix: Sendable, Hashable {
  package struct Part: Sendable, Hashable {
    package var partition: Int32
    /// Records below it are in the row; nil when that was not known: after a restart, of a repartitioned view.
    package var wholeOffset: Int64?
    /// No record from it on is in the row. Records in between came with one commit, and are in it all or none.
    package var nextOffset: Int64

    package init(partition: Int32, wholeOffset: Int64?, nextOffset: Int64) {
      self.partition = partition
      self.wholeOffset = wholeOffset
      self.nextOffset = nextOffset
    }
  }

  package var topic: String
  /// One of a view whose source is partitioned by its key; every partition of one that is repartitioned.
  package var parts: [Part]

  package init(topic: String, parts: [Part]) {
    self.topic = topic
    self.parts = parts
  }
}

extension LogPrefix {
  /// `flights.departures 0:1200 1:1180-1192 2:?-7`: the offset behind the last record of each partition. Two offsets
  /// where the read fell between two pieces of a commit.
  package var text: String {
    parts.reduce(into: topic) { text, part in
      text += " \(part.partition):"
      if part.wholeOffset != part.nextOffset { text += "\(part.wholeOffset.map(String.init) ?? "?")-" }
      text += String(part.nextOffset)
    }
  }

  /// - Returns: nil for a text that `text` did not make.
  package init?(text: String) {
    let words = text.split(separator: " ")
    guard let topic = words.first else { return nil }
    self.init(topic: String(topic), parts: [])
    for word in words.dropFirst() {
      let halves = word.split(separator: ":", omittingEmptySubsequences: false)
      guard halves.count == 2, let partition = Int32(halves[0]), partition >= 0 else { return nil }
      let bounds = halves[1].split(separator: "-", omittingEmptySubsequences: false)
      guard let last = bounds.last, let next = Int64(last), next >= 0, bounds.count <= 2 else { return nil }
      let whole = bounds.count == 1 ? next : Int64(bounds[0])
      guard whole ?? 0 <= next, whole != nil || bounds[0] == "?" else { return nil }
      parts.append(Part(partition: partition, wholeOffset: whole, nextOffset: next))
    }
  }
}
