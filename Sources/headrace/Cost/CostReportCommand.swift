internal import ArgumentParser
internal import Core
internal import Cost

struct CostReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "What was used and what it cost.",
    discussion: """
      A worker meters itself: CPU time by operator, source, view and model, bytes over the network and to the disk, \
      memory and files over time, tokens and GPU time of remote models. The lines add up to the process: what belongs \
      to nobody is `housekeeping` and `unattributed`, what is paid for and not used is `__idle__`.

      `direct` is what belongs to a subject alone; `loaded` has its share of everything that belongs to nobody, and \
      adds up to the total. --html writes a page that needs nothing beside itself.
      """)

  @OptionGroup var usage: UsageOptions
  @OptionGroup var prices: PriceOptions
  @Option(help: ArgumentHelp("Write a page there.", valueName: "file")) var html: String?
  @Option(help: "table or json.") var output = OutputFormat.table

  func run() async throws {
    let book = try prices.requiredBook()
    let (spans, curve, features) = try await usage.spans()
    let report = CostReport(Self.merged(spans), prices: book)
    let advice = Advice.find(features, curve, report.usage)
    if let html {
      let page = CostPage(report, advice: advice, curve: curve) { RFC3339.text(milliseconds: $0) }
      try NewFile.replace(html, with: Array(page.html.utf8))
    }
    let text = CostReportText(report, advice: advice, curve: curve)
    try StandardOutput.writeAll(output == .json ? text.json : Array(text.table.utf8))
    for item in report.unpriced { StandardError.write("note: \(item) has no price in \(book.name)") }
  }

  static func merged(_ spans: [UsageReport]) -> UsageReport {
    var sum = spans[0]
    for span in spans.dropFirst() { sum.merge(span) }
    return sum
  }
}
