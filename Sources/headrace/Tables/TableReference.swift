internal import ArgumentParser
internal import Core
internal import Delta
internal import Storage

/// One table: its name, which is its folder below the place of the tables.
struct TableReference: ParsableArguments {
  @Argument(help: ArgumentHelp("The table's name, such as events/departed.", valueName: "table")) var table: String
  @OptionGroup var place: TableOptions

  func open(at moment: DeltaTable.Moment = .newest) throws -> DeltaTable {
    try Self.open(table, in: try place.store(), at: moment)
  }

  /// - Throws: TABLE_MISSING, with the nearest name.
  static func open(
    _ name: String, in store: any BlobStore, at moment: DeltaTable.Moment = .newest
  ) throws(HeadraceError) -> DeltaTable {
    if let table = try DeltaTable.open(store, try BlobName(name), at: moment) { return table }
    let names = try DeltaTable.roots(in: store).map(\.text)
    let nearest = NearestName.of(name, in: names).map { "; did you mean `\($0)`?" } ?? ""
    throw HeadraceError(
      .user, "TABLE_MISSING", "there is no table `\(name)`\(nearest)", place: store.place,
      remedy: "see `headrace tables list`")
  }
}

/// Some tables, or all that there are.
struct TableSelection: ParsableArguments {
  @Argument(help: ArgumentHelp("Tables by their names. (default: all)", valueName: "table")) var tables: [String] = []
  @OptionGroup var place: TableOptions

  func open() throws -> (store: any BlobStore, tables: [DeltaTable]) {
    let store = try place.store()
    let names = tables.isEmpty ? try DeltaTable.roots(in: store).map(\.text) : tables
    return (store, try names.map { try TableReference.open($0, in: store) })
  }
}

/// A version by its number or by a time.
struct TableMoment: ParsableArguments {
  @Option(help: ArgumentHelp("The table as it was at that version.", valueName: "number")) var atVersion: Int64?
  @Option(
    help: ArgumentHelp(
      "The table as it was at that time: RFC 3339, a date, or epoch milliseconds.", valueName: "time"))
  var at: String?

  func validate() throws {
    guard atVersion == nil || at == nil else { throw ValidationError("--at-version and --at exclude each other") }
    guard let at, Self.milliseconds(at) == nil else { return }
    throw ValidationError("--at \(at): expected RFC 3339, a date, or epoch milliseconds")
  }

  var moment: DeltaTable.Moment {
    if let atVersion { return .version(atVersion) }
    return at.flatMap(Self.milliseconds).map { .timestamp(milliseconds: $0) } ?? .newest
  }

  private static func milliseconds(_ text: String) -> Int64? { Int64(text) ?? RFC3339.milliseconds(text) }
}
