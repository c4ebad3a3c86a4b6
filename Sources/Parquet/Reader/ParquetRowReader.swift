internal import Codecs
internal import Columns
package import Core

/// Reads nested columns row by row: lists, maps and structures, as the checkpoints of Delta tables have them.
///
/// Values are put together again as described by Melnik et al.: Dremel: Interactive Analysis of Web-Scale Datasets
/// (2010): the levels of each value say which of the lists and groups around it begin, go on or are missing.
package final class ParquetRowReader {
  private let file: ParquetFile
  private let fields: [NestedField]
  private let leaves: [EntryReader]
  private let configuration: ParquetReaderConfiguration
  private var rowsLeft: Int
  private var hasFailed = false

  /// - Parameter fields: names of fields of the schema's top, in the order in which rows have them; nil: all.
  package init(
    _ file: ParquetFile, source: any ParquetSource, fields names: [String]? = nil, rowGroups: [Int]? = nil,
    configuration: ParquetReaderConfiguration = .init()
  ) throws(HeadraceError) {
    let chosen = rowGroups ?? Array(file.rowGroups.indices)
    let decompressor = BlockDecompressor()
    var leaves: [EntryReader] = []
    var fields: [NestedField] = []
    let wanted = names ?? file.schema.fields.map(\.name)
    for name in wanted {
      guard let field = file.schema.fields.first(where: { $0.name == name }) else {
        throw file.missing(name, file.schema.fields.map(\.name))
      }
      let firstLeaf = leaves.count
      for leaf in file.schema.leaves where leaf.path.first == name {
        let (type, pages) = try file.pages(
          of: leaf, source: source, rowGroups: chosen, decompressor: decompressor, configuration: configuration)
        leaves.append(EntryReader(LeafReader(leaf, pages: pages), type, configuration, place: file.place))
      }
      var next = firstLeaf
      fields.append(NestedField(field, definitionLevel: 0, repetitionLevel: 0, nextLeaf: &next))
    }
    self.file = file
    self.fields = fields
    self.leaves = leaves
    self.configuration = configuration
    rowsLeft = chosen.reduce(0) { $0 + file.rowGroups[$1].rowCount }
  }

  /// - Returns: up to `maximumRows` rows, each a `.structure` over the chosen fields; none at the end.
  /// - Throws: also when these rows have more than `maximumRowValues` values; the reader is at its end then.
  package func next(maximumRows: Int) throws(HeadraceError) -> [ParquetValue] {
    guard !hasFailed else { return [] }
    var rows: [ParquetValue] = []
    for leaf in leaves { leaf.valuesTaken = 0 }
    do throws(HeadraceError) {
      while rows.count < maximumRows, rowsLeft > 0 {
        rowsLeft -= 1
        var values: [ParquetValue] = []
        values.reserveCapacity(fields.count)
        for field in fields { values.append(try value(of: field, repetition: 0)) }
        rows.append(.structure(values))
      }
    } catch {
      hasFailed = true
      throw error
    }
    return rows
  }

  /// - Parameter repetition: the level that its first entry must have.
  private func value(of field: NestedField, repetition: Int) throws(HeadraceError) -> ParquetValue {
    guard field.repetition == .repeated else { return try single(field, repetition: repetition) }
    let first = leaves[field.leaves.lowerBound]
    guard try first.definition() >= field.definitionLevel else {
      try takeNulls(field, repetition: repetition)
      return .list([])
    }
    var elements = [try single(field, repetition: repetition)]
    while try first.repetition() == field.repetitionLevel {
      elements.append(try single(field, repetition: field.repetitionLevel))
    }
    return .list(elements)
  }

  /// A field that is there once, or not: also one element of a repeated one.
  private func single(_ field: NestedField, repetition: Int) throws(HeadraceError) -> ParquetValue {
    let leaf = leaves[field.leaves.lowerBound]
    if case .leaf = field.shape { return try leaf.take(repetition: repetition) }
    if field.repetition == .optional, try leaf.definition() < field.definitionLevel {
      try takeNulls(field, repetition: repetition)
      return .null
    }
    switch field.shape {
    case .leaf: return .null
    case .structure(let children):
      var values: [ParquetValue] = []
      values.reserveCapacity(children.count)
      for child in children { values.append(try value(of: child, repetition: repetition)) }
      return .structure(values)
    case .list(let repeated, let unwraps):
      guard case .list(let elements) = try value(of: repeated, repetition: repetition) else { return .null }
      guard unwraps else { return .list(elements) }
      return .list(elements.map { if case .structure(let only) = $0 { only.first ?? .null } else { $0 } })
    case .map(let repeated):
      guard case .list(let entries) = try value(of: repeated, repetition: repetition) else { return .null }
      return .map(
        entries.map {
          guard case .structure(let pair) = $0, pair.count == 2 else { return ParquetEntry(.null, .null) }
          return ParquetEntry(pair[0], pair[1])
        })
    }
  }

  /// Each leaf below a missing group or an empty list has one entry that says so.
  private func takeNulls(_ field: NestedField, repetition: Int) throws(HeadraceError) {
    for index in field.leaves {
      try leaves[index].takeMissing(below: field.definitionLevel, repetition: repetition)
    }
  }
}

@available(*, unavailable, message: "its buffers belong to one thread: keep one per thread")
extension ParquetRowReader: Sendable {}
