internal import Core
internal import Cost

/// A cost report for terminals and for programs.
struct CostReportText {
  private let report: CostReport
  private let advice: [Advice]
  private let curve: BatchCurve

  init(_ report: CostReport, advice: [Advice], curve: BatchCurve) {
    self.report = report
    self.advice = advice
    self.curve = curve
  }

  /// A field of events may have a thousand tenants: JSON has all of them.
  private static let rowsMaximum = 50

  private static func more(_ count: Int) -> String {
    count > rowsMaximum ? "and \(count - rowsMaximum) more: --output json\n" : ""
  }

  private var usage: UsageReport { report.usage }

  var table: String {
    var text = "\(usage.topology): \(RFC3339.text(milliseconds: usage.fromMilliseconds)) to "
    text += "\(RFC3339.text(milliseconds: usage.toMilliseconds)), \(money(report.total))\n"
    text += "CPU \(Figures.fixed(Double(usage.processCPUNanoseconds) / 1e9, 2)) s of "
    text += "\(Figures.fixed(usage.cores, 1)) cores; idle \(percent(usage.idleShare)), "
    text += "not attributed \(percent(usage.unattributedShare))\n\n"
    var units = Table([("per 1,000", .left), ("count", .right), ("own", .right), ("loaded", .right)])
    for unit in report.unitCosts {
      units.append([
        unit.unit, Figures.grouped(Int(unit.count)), money(unit.perThousand), money(unit.perThousandLoaded),
      ])
    }
    text += units.text + "\n"
    var operators = Table([("operator", .left), ("CPU s", .right), ("cost", .right)])
    for (name, nanoseconds, cost) in operatorSums {
      operators.append([name, Figures.fixed(Double(nanoseconds) / 1e9, 3), money(cost)])
    }
    text += operators.text + "\n"
    var tenants = Table([
      ("tenant", .left), ("events", .right), ("predictions", .right), ("direct", .right), ("loaded", .right),
    ])
    for tenant in report.tenants.prefix(Self.rowsMaximum) {
      tenants.append([
        tenant.tenant, Figures.grouped(Int(tenant.events)), Figures.grouped(Int(tenant.predictions)),
        money(tenant.direct), money(tenant.loaded),
      ])
    }
    text += tenants.text + Self.more(report.tenants.count) + "\n"
    var subjects = Table([("subject", .left), ("tenant", .left), ("direct", .right), ("loaded", .right)])
    for share in report.shares.prefix(Self.rowsMaximum) {
      subjects.append([
        "\(share.subject.kind.rawValue) \(share.subject.name)", share.tenant, money(share.direct), money(share.loaded),
      ])
    }
    text += subjects.text + Self.more(report.shares.count)
    for entry in advice {
      let saved = entry.savedShare.map { " (saves \(percent($0)) of it)" } ?? ""
      text += "\nadvice: \(entry.subject): \(entry.reason); \(entry.remedy)\(saved)"
    }
    return advice.isEmpty ? text : text + "\n"
  }

  private var operatorSums: [(name: String, nanoseconds: Int64, cost: Double)] {
    var sums: [String: (nanoseconds: Int64, cost: Double)] = [:]
    for line in usage.lines {
      sums[line.operation.rawValue, default: (0, 0)].nanoseconds += line.amounts[.cpuNanoseconds]
    }
    for line in report.lines { sums[line.operation, default: (0, 0)].cost += line.cost }
    return sums.map { ($0.key, $0.value.nanoseconds, $0.value.cost) }.sorted { ($1.cost, $0.name) < ($0.cost, $1.name) }
  }

  private func money(_ amount: Double) -> String { "\(MoneyText.text(amount)) \(report.currency)" }
  private func percent(_ share: Double) -> String { "\(Figures.fixed(share * 100, 2)) %" }

  var json: [UInt8] { CostSummary(usage, report, curve, advice).json + [UInt8(ascii: "\n")] }
}
