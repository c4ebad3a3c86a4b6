internal import ArgumentParser
internal import Core
internal import Cost
internal import OfflineStore

struct CostExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Charges as FOCUS 1.0 has them, for the tools of finance.",
    discussion: """
      One row for each operator, subject and price of each span of usage. --focus writes CSV; --delta appends the same \
      rows to the table `focus` among the tables. Columns of our own begin with `x_`; the tenant is the sub account.
      """)

  @OptionGroup var usage: UsageOptions
  @OptionGroup var prices: PriceOptions
  @Option(help: ArgumentHelp("Write CSV there.", valueName: "file")) var focus: String?
  @Flag(help: "Append to the table `focus` beside the table `usage`.") var delta = false
  @Option(help: ArgumentHelp("Who pays, as the provider calls the account.", valueName: "name")) var account = "default"

  func validate() throws {
    guard focus != nil || delta else { throw ValidationError("--focus FILE or --delta: where the charges go") }
    guard !delta || usage.place.isGiven else { throw ValidationError("--delta needs --data or --tables") }
  }

  func run() async throws {
    let book = try prices.requiredBook()
    var export = FocusExport(billingAccount: account)
    for span in try await usage.spans().spans { export.append(CostReport(span, prices: book), prices: book) }
    if let focus { try NewFile.replace(focus, with: export.csv) }
    if delta {
      try FocusTable.append(export, to: try usage.place.store(), nowMilliseconds: WallClock.system.nowMilliseconds)
    }
    StandardError.write("\(export.rows.count) charges")
  }
}
