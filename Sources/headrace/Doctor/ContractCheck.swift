internal import Columns
internal import Contracts
internal import Core
internal import Topology

/// Whether the newest records of a topic hold to its contract.
enum ContractCheck {
  static func judge(_ sample: TopicSample, _ source: SourcePlan) throws(HeadraceError) -> Finding {
    let subject = "contract \(source.topic)"
    guard !sample.values.isEmpty else { return .ok(subject, "no records yet") }
    guard source.format != .avroConfluent else { return .ok(subject, "records name their schema: not looked at here") }
    let decoder = try RecordDecoder(
      contract: source.contract, format: source.format == .json ? .json : .avro, columns: source.columns)
    var batch = decoder.makeBatch()
    var faults: [RecordFault] = []
    for value in sample.values { unsafe decoder.append(value?.span.bytes) }
    try decoder.decode(into: &batch, faults: &faults)
    let count = Figures.grouped(sample.values.count)
    guard let first = faults.first else { return .ok(subject, "the newest \(count) records hold to it") }
    let field = first.path.map { " at \($0)" } ?? ""
    return Finding(
      subject, faults.count * 10 > sample.values.count ? .error : .warning,
      "\(Figures.grouped(faults.count)) of the newest \(count) records break it: \(first.code.rawValue)\(field)",
      fix: "mend the producer or the schema; what broke it is in the dead-letter topic with its reason")
  }
}
