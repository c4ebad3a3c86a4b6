internal import Core
internal import Kafka
internal import Registry
package import Topology

/// A plan that somebody applied: which plan of a topology runs.
package struct AppliedPlan: Sendable, Equatable {
  package var topology: String
  /// Counts the plans of this topology, from 1.
  package var version: Int64
  package var fingerprint: Fingerprint
  package var document: PlanDocument
  /// Where in the control topic it stands.
  package var offset: Int64
}

/// One record of the control topic: the topology's name as its key, what it is in its headers.
///
/// Commands carry the version that they expect; of two that expect the same one the first in the log wins, and the
/// other one is as if it had never been.
enum ControlRecord: Equatable {
  /// Run this plan from now on.
  case plan(topology: String, expects: Int64, fingerprint: Fingerprint, document: [UInt8])
  /// A task runs this version from these offsets on.
  case switched(topology: String, version: Int64, task: Int32, offsets: [TopicPartition: Int64])
  /// Somebody wants something of the models changed.
  case registry(RegistryCommand)
  /// A task scores by what the registry said at `position` of the control topic from these offsets on.
  case scores(topology: String, position: Int64, task: Int32, offsets: [TopicPartition: Int64])
  /// Somebody had predictions made again: they are in the transaction of this record and in those before it.
  case corrected(CorrectionRecord)

  private static let kindHeader = "headrace-kind"
  private static let expectsHeader = "headrace-expects"
  private static let versionHeader = "headrace-version"
  private static let fingerprintHeader = "headrace-fingerprint"
  private static let taskHeader = "headrace-task"
  private static let positionHeader = "headrace-position"

  /// - Parameter timeMilliseconds: of a registry command that was given before; nil: it is given now.
  func append(to batch: inout ProduceBatch, timeMilliseconds: Int64? = nil) throws(HeadraceError) {
    switch self {
    case .plan(let topology, let expects, let fingerprint, let document):
      unsafe try batch.append(key: Array(topology.utf8).span.bytes, value: document.span.bytes, partition: 0)
      try batch.appendHeader(Self.kindHeader, "plan")
      try batch.appendHeader(Self.expectsHeader, String(expects))
      try batch.appendHeader(Self.fingerprintHeader, fingerprint.description)
    case .switched(let topology, let version, let task, let offsets):
      try batch.append(key: topology, value: Self.lines(offsets), partition: 0)
      try batch.appendHeader(Self.kindHeader, "switched")
      try batch.appendHeader(Self.versionHeader, String(version))
      try batch.appendHeader(Self.taskHeader, String(task))
    case .registry(let command):
      unsafe try batch.append(
        key: Array(command.subject.key.utf8).span.bytes, value: command.encoded().span.bytes,
        timestampMilliseconds: timeMilliseconds, partition: 0)
      try batch.appendHeader(Self.kindHeader, "registry")
    case .scores(let topology, let position, let task, let offsets):
      try batch.append(key: topology, value: Self.lines(offsets), partition: 0)
      try batch.appendHeader(Self.kindHeader, "scores")
      try batch.appendHeader(Self.positionHeader, String(position))
      try batch.appendHeader(Self.taskHeader, String(task))
    case .corrected(let record):
      unsafe try batch.append(
        key: Array(record.topology.utf8).span.bytes, value: record.encoded.span.bytes, partition: 0)
      try batch.appendHeader(Self.kindHeader, "corrected")
    }
  }

  /// nil: of another kind, of a newer program, or broken; whoever cannot read a command does not follow it.
  init?(_ record: borrowing ConsumedRecord) {
    let headers = record.headers
    guard let topology = Self.text(record.key), let kind = Self.text(headers.last(Self.kindHeader)) else { return nil }
    switch kind {
    case "plan":
      guard let expects = Self.text(headers.last(Self.expectsHeader)).flatMap({ Int64($0) }),
        let fingerprint = Self.text(headers.last(Self.fingerprintHeader)).flatMap({ Fingerprint(text: $0) }),
        let value = record.value
      else { return nil }
      self = .plan(
        topology: topology, expects: expects, fingerprint: fingerprint,
        document: unsafe value.withUnsafeBytes { unsafe Array($0) })
    case "switched":
      guard let version = Self.text(headers.last(Self.versionHeader)).flatMap({ Int64($0) }),
        let task = Self.text(headers.last(Self.taskHeader)).flatMap({ Int32($0) })
      else { return nil }
      self = .switched(
        topology: topology, version: version, task: task, offsets: Self.offsets(Self.text(record.value) ?? ""))
    case "registry":
      guard let value = record.value,
        let command = try? RegistryCommand(json: unsafe value.withUnsafeBytes { unsafe Array($0) })
      else { return nil }
      self = .registry(command)
    case "scores":
      guard let position = Self.text(headers.last(Self.positionHeader)).flatMap({ Int64($0) }),
        let task = Self.text(headers.last(Self.taskHeader)).flatMap({ Int32($0) })
      else { return nil }
      self = .scores(
        topology: topology, position: position, task: task, offsets: Self.offsets(Self.text(record.value) ?? ""))
    case "corrected":
      guard let value = record.value,
        let correction = CorrectionRecord(json: unsafe value.withUnsafeBytes { unsafe Array($0) })
      else { return nil }
      self = .corrected(correction)
    default: return nil
    }
  }

  /// The bytes of a registry command, whether this program can follow it or not; nil for other records.
  static func registryBytes(_ record: borrowing ConsumedRecord) -> [UInt8]? {
    guard text(record.headers.last(kindHeader)) == "registry", let value = record.value else { return nil }
    return unsafe value.withUnsafeBytes { unsafe Array($0) }
  }

  private static func lines(_ offsets: [TopicPartition: Int64]) -> String {
    offsets.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: "\n")
  }

  private static func offsets(_ text: String) -> [TopicPartition: Int64] {
    var offsets: [TopicPartition: Int64] = [:]
    for line in text.split(separator: "\n") {
      guard let space = line.lastIndex(of: " "), let slash = line[..<space].lastIndex(of: "/"),
        let partition = Int32(line[line.index(after: slash)..<space]),
        let offset = Int64(line[line.index(after: space)...])
      else { continue }
      offsets[TopicPartition(topic: String(line[..<slash]), partition: partition)] = offset
    }
    return offsets
  }

  private static func text(_ bytes: RawSpan?) -> String? {
    guard let bytes else { return nil }
    return unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }
}
