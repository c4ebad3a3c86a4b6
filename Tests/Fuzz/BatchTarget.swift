internal import Broker
internal import Codecs
internal import Core

/// Record batches as producers send them: what the validator accepts must be readable, and must pass again as it would
/// be stored.
struct BatchTarget: FuzzTarget {
  static let name = "batch"

  private static let nowMilliseconds: Int64 = 1_700_000_000_000
  private static let limit = DecompressionLimit(maximumBytes: 1 << 20)

  private let validator = RecordBatchValidator(maximumExpandedBytes: limit.maximumBytes)
  private let decompressor = Decompressor()
  private let compressor = Compressor()

  func execute(_ input: [UInt8]) throws(Violation) -> Signature {
    let rules = Self.rules(for: input)
    var signature = Signature()
    let header: RecordBatchHeader
    do throws(RecordBatchError) {
      header = unsafe try validator.validate(input.span.bytes, rules: rules, nowMilliseconds: Self.nowMilliseconds)
    } catch {
      signature.add("\(error)".filter { !$0.isNumber })
      return signature
    }
    signature.add(Int(header.attributes.rawValue))
    signature.add(sizeClassOf: Int(header.recordCount))
    signature.add(sizeClassOf: input.count)
    let stored = Self.bytes(of: header) + input[RecordBatchHeader.sizeBytes...]
    try checkRecords(of: stored, header)
    try checkAgain(stored, header, rules)
    return signature
  }

  /// The records that the header promises, and no byte more.
  private func checkRecords(of stored: [UInt8], _ header: RecordBatchHeader) throws(Violation) {
    guard let codec = header.attributes.codec else { throw Violation("accepted with an unknown codec") }
    let records = Array(stored[RecordBatchHeader.sizeBytes...])
    let expanded: [UInt8]
    do throws(CodecError) {
      expanded = unsafe try records.span.bytes.withUnsafeBytes { (input) throws(CodecError) in
        unsafe Array(try decompressor.decompress(input, codec: codec, limit: Self.limit))
      }
    } catch {
      throw Violation("accepted, but: \(error)")
    }
    var cursor = unsafe RecordCursor(expanded.span.bytes)
    do throws(RecordBatchError) {
      for index in 0..<header.recordCount {
        let record = try cursor.next()
        let isInOrder = record.offsetDelta == index && record.range.upperBound <= expanded.count
        guard isInOrder else { throw RecordBatchError.badOffsetDelta(index: index) }
      }
    } catch {
      throw Violation("accepted, but: \(error.message)")
    }
    guard cursor.isAtEnd else { throw Violation("accepted with bytes after the last record") }
  }

  /// What is stored is what another validation would store.
  private func checkAgain(
    _ stored: [UInt8], _ header: RecordBatchHeader, _ rules: LogConfiguration
  ) throws(Violation) {
    do throws(RecordBatchError) {
      let again = unsafe try validator.validate(stored.span.bytes, rules: rules, nowMilliseconds: Self.nowMilliseconds)
      guard again == header else { throw RecordBatchError.badLength(declared: 0, available: 0) }
    } catch {
      throw Violation("what was accepted is refused, or changed, the second time: \(error.message)")
    }
  }

  /// Three topics; which of them depends on the input, so that a replay finds the same.
  private static func rules(for input: [UInt8]) -> LogConfiguration {
    var rules = LogConfiguration()
    switch input.first.map({ $0 % 3 }) {
    case 1:
      rules.cleanupPolicy = .compact
    case 2:
      rules.timestampType = .logAppendTime
    default:
      rules.timestampAfterMaxMilliseconds = 3_600_000
    }
    return rules
  }

  private static func bytes(of header: RecordBatchHeader) -> [UInt8] {
    let encoded = header.encoded()
    return encoded.indices.map { encoded[$0] }
  }
}

// MARK: Repair

extension BatchTarget {
  /// Sets what hides the rest: length, format version and checksum, and sometimes counts and codec.
  func repair(_ input: inout [UInt8], using generator: inout SplitMix64) {
    guard !generator.oneIn(8), var header = unsafe RecordBatchHeader(input.span.bytes) else { return }
    var records = Array(input[RecordBatchHeader.sizeBytes...])
    if generator.oneIn(8) { compress(&records, &header, &generator) }
    if generator.oneIn(2) { header.lastOffsetDelta = header.recordCount &- 1 }
    header.magic = RecordBatchHeader.currentMagic
    header.batchLength = Int32(clamping: records.count + RecordBatchHeader.sizeBytes - RecordBatchHeader.uncountedBytes)
    header.checksum = unsafe header.computedChecksum(records: records.span.bytes)
    input = Self.bytes(of: header) + records
  }

  private func compress(
    _ records: inout [UInt8], _ header: inout RecordBatchHeader, _ generator: inout SplitMix64
  ) {
    guard header.attributes.codec == CompressionCodec.none else { return }
    let codec = CompressionCodec.allCases[1 + generator.below(CompressionCodec.allCases.count - 1)]
    let compressed = try? unsafe records.span.bytes.withUnsafeBytes { (input) throws(CodecError) in
      unsafe try compressor.compress(input, codec: codec)
    }
    guard let compressed else { return }
    records = compressed
    header.attributes = header.attributes.with(codec: codec)
  }
}

// MARK: Seeds

extension BatchTarget {
  func seeds() throws -> [Seed] {
    var seeds: [Seed] = []
    for codec in CompressionCodec.allCases {
      seeds.append(try seed("plain-\(codec)", codec) { _ in })
      seeds.append(
        try seed("idempotent-\(codec)", codec) { header in
          header.producerID = 4_000
          header.producerEpoch = 3
          header.baseSequence = .max
        })
    }
    seeds.append(
      try seed("transactional", .none) { header in
        header.producerID = 1
        header.producerEpoch = 0
        header.baseSequence = 0
        header.attributes.insert(.transactional)
      })
    seeds.append(try seed("control", .none) { $0.attributes.insert(.control) })
    return seeds
  }

  private func seed(
    _ name: String, _ codec: CompressionCodec, _ adjust: (inout RecordBatchHeader) -> Void
  ) throws -> Seed {
    var builder = RecordBatchBuilder(baseTimestamp: Self.nowMilliseconds)
    builder.append(key: Array("AA".utf8), value: Array(#"{"dep_delay":12}"#.utf8), timestamp: Self.nowMilliseconds)
    builder.append(
      key: Array("DL".utf8), value: nil,
      headers: [(key: Array("trace".utf8), value: Array("1f".utf8)), (key: [], value: nil)],
      timestamp: Self.nowMilliseconds - 70_000)
    builder.append(key: Array("UA".utf8), value: [], timestamp: Self.nowMilliseconds + 5)
    adjust(&builder.header)
    return Seed(name: name, bytes: try builder.finish(compressor: compressor, codec: codec))
  }
}
