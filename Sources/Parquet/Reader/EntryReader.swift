internal import Columns
internal import Core

/// The entries of one leaf, one after the other: a value or what stands for a missing one, with its levels.
final class EntryReader {
  private static let blockCount = 4_096

  private let reader: LeafReader
  private let configuration: ParquetReaderConfiguration
  private let place: String
  private var repetitions: [UInt8] = []
  private var definitions: [UInt8] = []
  private var values: Column
  private var index = 0
  private var valueIndex = 0
  private var isAtEnd = false
  /// Since the call of the row reader began.
  var valuesTaken = 0

  init(_ reader: LeafReader, _ type: ColumnType, _ configuration: ParquetReaderConfiguration, place: String) {
    self.reader = reader
    self.configuration = configuration
    self.place = place
    values = Column(type)
  }

  private func fill() throws(HeadraceError) {
    guard index == definitions.count, !isAtEnd else { return }
    repetitions.removeAll(keepingCapacity: true)
    definitions.removeAll(keepingCapacity: true)
    values.removeAll()
    index = 0
    valueIndex = 0
    isAtEnd =
      try reader.readEntries(
        Self.blockCount, repetitions: &repetitions, definitions: &definitions, values: &values) == 0
  }

  /// The repetition level of the next entry; 0 at the end.
  func repetition() throws(HeadraceError) -> Int {
    try fill()
    return isAtEnd ? 0 : Int(repetitions[index])
  }

  func definition() throws(HeadraceError) -> Int {
    try fill()
    guard !isAtEnd else { throw broken("the column ends before its rows do") }
    return Int(definitions[index])
  }

  func take(repetition: Int) throws(HeadraceError) -> ParquetValue {
    let definition = try begin(repetition)
    index += 1
    guard definition == reader.leaf.maximumDefinitionLevel else { return .null }
    let value = values.value(valueIndex)
    valueIndex += 1
    return .scalar(value)
  }

  func takeMissing(below definitionLevel: Int, repetition: Int) throws(HeadraceError) {
    guard try begin(repetition) < definitionLevel else {
      throw broken("a value where the other columns of its group have none")
    }
    index += 1
  }

  /// - Returns: the definition level.
  private func begin(_ repetition: Int) throws(HeadraceError) -> Int {
    let definition = try definition()
    guard Int(repetitions[index]) == repetition else {
      throw broken("a repetition level of \(repetitions[index]) where the other columns have \(repetition)")
    }
    valuesTaken += 1
    guard valuesTaken <= configuration.maximumRowValues else {
      throw ParquetFault.tooLarge("more than \(configuration.maximumRowValues) values in the rows of one call")
        .error(at: "\(place): column \(reader.leaf.name)")
    }
    return definition
  }

  private func broken(_ message: String) -> HeadraceError {
    ParquetFault.corrupt(message).error(at: "\(place): column \(reader.leaf.name)")
  }
}
