internal import Columns
internal import NIOCore

/// What a list of features means: which views to read, what to compute, and how the answer is labelled.
///
/// Resolved once for each different list and kept: applications ask for the same list again and again.
final class ResolvedShape: Sendable {
  /// One column of the answer behind the join keys.
  struct Column: Sendable {
    var origin: Origin
    /// Takes the place of a null.
    var defaultValue: Value
  }

  enum Origin: Sendable, Hashable {
    /// A feature of `reads[read]`.
    case feature(read: Int, position: Int)
    /// A position in `requestFields`.
    case request(Int)
    /// A position in `onDemand`.
    case onDemand(Int)
  }

  /// One view to be read for every row.
  struct Read: Sendable {
    var view: Int
    /// Positions in the shape's `joinKeys`, in the order of the encoded key.
    var joinKeys: [Int]
    /// Features of the view.
    var features: [Int]
    /// How many features the reads in front of it have together.
    var firstValue = 0
  }

  struct OnDemand: Sendable {
    /// A position in the catalog.
    var index: Int
    var inputs: [Origin]
  }

  struct Field: Sendable {
    var name: [UInt8]
    var type: ColumnType
  }

  /// Asks for nothing.
  static let empty = ResolvedShape(
    columns: [], reads: [], joinKeys: [], requestFields: [], onDemand: [], names: [])

  let columns: [Column]
  let reads: [Read]
  /// Features of all reads together.
  let readValueCount: Int
  let joinKeys: [Field]
  let requestFields: [Field]
  /// In the order in which they can be evaluated.
  let onDemand: [OnDemand]
  /// A position in the catalog's services; nil for a plain list of features.
  let service: Int?
  /// `"metadata":{"feature_names":[…]}`.
  let metadata: ByteBuffer
  /// Rows that were answered.
  let servedRows = Counter()

  init(
    columns: [Column], reads: [Read], joinKeys: [Field], requestFields: [Field], onDemand: [OnDemand], names: [String],
    service: Int? = nil
  ) {
    var reads = reads
    var count = 0
    for index in reads.indices {
      reads[index].firstValue = count
      count += reads[index].features.count
    }
    self.columns = columns
    self.reads = reads
    readValueCount = count
    self.joinKeys = joinKeys
    self.requestFields = requestFields
    self.onDemand = onDemand
    self.service = service
    var metadata = ByteBuffer()
    metadata.write("\"metadata\":{\"feature_names\":[")
    for (index, name) in (joinKeys.map { String(decoding: $0.name, as: UTF8.self) } + names).enumerated() {
      if index > 0 { metadata.write(",") }
      metadata.writeQuoted(name)
    }
    metadata.write("]}")
    self.metadata = metadata
  }
}
