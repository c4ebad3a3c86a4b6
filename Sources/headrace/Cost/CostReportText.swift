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
    var subjects = Table([("subject", .left), ("tenant", .left), ("direct", .right), ("loaded", .right)])
    for share in report.shares {
      subjects.append([
        "\(share.subject.kind.rawValue) \(share.subject.name)", share.tenant, money(share.direct), money(share.loaded),
      ])
    }
    text += subjects.text
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

  var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("usage")
      writer.raw(usage.json)
      writer.member("currency", report.currency)
      writer.member("total", number: report.total)
      writer.member("idle", number: report.idle)
      writer.key("per_thousand")
      writer.array { writer in
        for unit in report.unitCosts {
          writer.object { writer in
            writer.member("unit", unit.unit)
            writer.member("count", unit.count)
            writer.member("own", number: unit.perThousand)
            writer.member("loaded", number: unit.perThousandLoaded)
          }
        }
      }
      writer.key("subjects")
      writer.array { writer in for share in report.shares { write(share, to: &writer) } }
      writer.key("lines")
      writer.array { writer in for line in report.lines { write(line, to: &writer) } }
      writer.key("unpriced")
      writer.array { writer in for item in report.unpriced { writer.string(item) } }
      if let line = curve.line {
        writer.key("batch_curve")
        writer.object { writer in
          writer.member("per_batch_ns", number: line.perBatch)
          writer.member("per_row_ns", number: line.perRow)
          writer.member("knee_rows", number: line.knee)
        }
      }
      writer.key("advice")
      writer.array { writer in for entry in advice { write(entry, to: &writer) } }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  private func write(_ share: CostReport.Share, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("kind", share.subject.kind.rawValue)
      writer.member("name", share.subject.name)
      writer.member("tenant", share.tenant)
      writer.member("direct", number: share.direct)
      writer.member("loaded", number: share.loaded)
    }
  }

  private func write(_ line: CostReport.Line, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("operator", line.operation)
      writer.member("kind", line.subject.kind.rawValue)
      writer.member("name", line.subject.name)
      writer.member("tenant", line.tenant)
      writer.member("item", line.item)
      writer.member("quantity", number: line.quantity)
      writer.member("unit", line.unit)
      writer.member("unit_price", number: line.unitPrice)
      writer.member("cost", number: line.cost)
    }
  }

  private func write(_ entry: Advice, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("kind", entry.kind.rawValue)
      writer.member("subject", entry.subject)
      writer.member("reason", entry.reason)
      writer.member("remedy", entry.remedy)
      if let saved = entry.savedShare { writer.member("saved_share", number: saved) }
    }
  }
}

extension JSONWriter {
  fileprivate mutating func member(_ name: String, number: Double) {
    key(name)
    if number.isFinite { raw(number.description.utf8) } else { null() }
  }
}
