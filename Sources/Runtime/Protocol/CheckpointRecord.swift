package import Core
package import OfflineStore

/// What a checkpoint says beside the rows of the views: how far each input is applied, and what was decided on the way.
/// Written in the same batch as the rows.
package struct CheckpointRecord: Sendable, Equatable {
  /// Of the plan that applied the records below S.
  package var planFingerprint: UInt64
  package var inputs: [InputRecord]
  /// Fingerprints of the views that hold everything below S. Another form of a view is another view.
  package var views: [UInt64]
  /// Views that are being built from the log while the others go on.
  package var bootstraps: [BootstrapRecord]
  /// Rows that wait for their tables.
  package var spool = SpoolRecord()

  package init(
    planFingerprint: UInt64, inputs: [InputRecord], views: [UInt64], bootstraps: [BootstrapRecord] = []
  ) {
    self.planFingerprint = planFingerprint
    self.inputs = inputs
    self.views = views
    self.bootstraps = bootstraps
  }

  /// One input partition at S.
  package struct InputRecord: Sendable, Equatable {
    package var topic: String
    /// S.
    package var nextOffset: Int64
    /// nil until a record was read; also below C where the state comes from an archive.
    package var witness: RecordWitness?
    /// What each source that reads this topic has decided.
    package var sources: [SourceRecord]
    /// Of a repartition topic: how far its upstream partitions are, by partition; else empty.
    package var upstreams: [UpstreamWatermark]
    /// Of a repartition topic: up to where the history of its view has come. It never goes back, though an upstream
    /// partition that was idle may speak again from an earlier time.
    package var settledWatermark: Int64 = .min

    package init(topic: String, nextOffset: Int64) {
      self.topic = topic
      self.nextOffset = nextOffset
      sources = []
      upstreams = []
    }
  }

  /// One source in one partition at S.
  package struct SourceRecord: Sendable, Equatable {
    package var source: String
    /// `Int64.min` until a record was valid.
    package var watermark: Int64 = .min
    package var digest = InputDigest()
    package var counts = OutcomeCounts()

    package init(source: String) { self.source = source }
  }

  /// A view that reads the log on its own.
  package struct BootstrapRecord: Sendable, Equatable {
    /// Of the view.
    package var fingerprint: UInt64
    /// Where it is in its source's partition; one source.
    package var input: InputRecord

    package init(fingerprint: UInt64, input: InputRecord) {
      self.fingerprint = fingerprint
      self.input = input
    }
  }
}

/// The last record below S. A topic that was deleted and made again has another one there, or none: clients of this
/// age cannot ask a topic for its id.
package struct RecordWitness: Sendable, Equatable {
  package var offset: Int64
  package var hash: UInt64

  package init(offset: Int64, hash: UInt64) {
    self.offset = offset
    self.hash = hash
  }
}

/// How far one upstream partition of a repartition topic has come.
package struct UpstreamWatermark: Sendable, Equatable {
  /// `Int64.min` until something was heard of it.
  package var watermark: Int64 = .min
  /// Its watermark at the last commit of which every delta is merged; a commit's own comes with the first of them.
  package var settled: Int64 = .min
  /// The offset of the source below which its deltas are merged.
  package var nextOffset: Int64 = 0
  /// It has nothing to say for a while: nobody waits for it.
  package var isIdle = false

  package init() {}
}

extension CheckpointRecord {
  private static let version: UInt8 = 5

  package func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.number(Self.version)
    writer.number(planFingerprint)
    writer.number(UInt32(clamping: inputs.count))
    for input in inputs { input.write(to: &writer) }
    writer.number(UInt32(clamping: views.count))
    for view in views { writer.number(view) }
    writer.number(UInt32(clamping: bootstraps.count))
    for bootstrap in bootstraps {
      writer.number(bootstrap.fingerprint)
      bootstrap.input.write(to: &writer)
    }
    spool.write(to: &writer)
    return writer.bytes
  }

  /// - Throws: `STATE_NEWER` for a checkpoint of a newer program, `BYTES_BROKEN` for one that is damaged.
  package init(decoding bytes: RawSpan, place: String) throws(HeadraceError) {
    var reader = ByteReader(bytes, place: place)
    let version = try reader.number(UInt8.self)
    guard (2...Self.version).contains(version) else {
      throw HeadraceError(
        .user, "STATE_NEWER", "the checkpoint has version \(version), this program reads version \(Self.version)",
        place: place, remedy: "run the Headrace that wrote it, or a newer one")
    }
    planFingerprint = try reader.number()
    inputs = []
    for _ in 0..<(try reader.count(ofSize: 16)) { inputs.append(try InputRecord(from: &reader, version: version)) }
    views = []
    for _ in 0..<(try reader.count(ofSize: 8)) { views.append(try reader.number()) }
    bootstraps = []
    for _ in 0..<(try reader.count(ofSize: 16)) {
      let fingerprint = try reader.number(UInt64.self)
      let input = try InputRecord(from: &reader, version: version)
      bootstraps.append(BootstrapRecord(fingerprint: fingerprint, input: input))
    }
    spool = try SpoolRecord(from: &reader, hasWatermarks: version > 4)
    guard reader.isAtEnd else { throw reader.broken("bytes follow the end") }
  }
}

extension CheckpointRecord.InputRecord {
  fileprivate func write(to writer: inout ByteWriter) {
    writer.text(topic)
    writer.number(nextOffset)
    writer.number(UInt8(witness == nil ? 0 : 1))
    if let witness {
      writer.number(witness.offset)
      writer.number(witness.hash)
    }
    writer.number(UInt32(clamping: sources.count))
    for source in sources { source.write(to: &writer) }
    writer.number(UInt32(clamping: upstreams.count))
    for upstream in upstreams {
      writer.number(upstream.watermark)
      writer.number(upstream.settled)
      writer.number(upstream.nextOffset)
      writer.number(UInt8(upstream.isIdle ? 1 : 0))
    }
    writer.number(settledWatermark)
  }

  fileprivate init(from reader: inout ByteReader, version: UInt8) throws(HeadraceError) {
    let topic = try reader.text()
    self.init(topic: topic, nextOffset: try reader.number())
    if try reader.number(UInt8.self) != 0 {
      let offset = try reader.number(Int64.self)
      witness = RecordWitness(offset: offset, hash: try reader.number())
    }
    for _ in 0..<(try reader.count(ofSize: 20)) {
      sources.append(try CheckpointRecord.SourceRecord(from: &reader))
    }
    for _ in 0..<(try reader.count(ofSize: 17)) {
      var upstream = UpstreamWatermark()
      upstream.watermark = try reader.number()
      // Version 2 had no histories that ask for it.
      upstream.settled = version > 2 ? try reader.number() : upstream.watermark
      upstream.nextOffset = try reader.number()
      upstream.isIdle = try reader.number(UInt8.self) != 0
      upstreams.append(upstream)
    }
    if version > 3 { settledWatermark = try reader.number() }
  }
}

extension CheckpointRecord.SourceRecord {
  fileprivate func write(to writer: inout ByteWriter) {
    writer.text(source)
    writer.number(watermark)
    writer.number(digest.value)
    for field in OutcomeCounts.fields { writer.number(counts[keyPath: field]) }
  }

  fileprivate init(from reader: inout ByteReader) throws(HeadraceError) {
    self.init(source: try reader.text())
    watermark = try reader.number()
    digest = InputDigest(try reader.number())
    for field in OutcomeCounts.fields { counts[keyPath: field] = try reader.number() }
  }
}
