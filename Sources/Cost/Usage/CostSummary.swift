internal import Core

/// What was used, what it cost where prices are known, and what would cost less: `headrace cost report --output json`,
/// and the same over HTTP.
package struct CostSummary: Sendable, Equatable {
  package var usage: UsageReport
  /// Nil: nobody said what resources cost.
  package var report: CostReport?
  package var curve: BatchCurve
  package var advice: [Advice]

  package init(_ usage: UsageReport, _ report: CostReport?, _ curve: BatchCurve, _ advice: [Advice]) {
    self.usage = usage
    self.report = report
    self.curve = curve
    self.advice = advice
  }

  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("usage")
      writer.raw(usage.json)
      writer.member("priced", report != nil)
      report?.writeMembers(to: &writer)
      if let line = curve.line {
        writer.key("batch_curve")
        writer.object { writer in
          writer.member("per_batch_ns", number: line.perBatch)
          writer.member("per_row_ns", number: line.perRow)
          writer.member("knee_rows", number: line.knee)
        }
      }
      writer.key("advice")
      writer.array { writer in for entry in advice { entry.write(to: &writer) } }
    }
    return writer.bytes
  }
}

extension CostReport {
  fileprivate func writeMembers(to writer: inout JSONWriter) {
    writer.member("currency", currency)
    writer.member("total", number: total)
    writer.member("idle", number: idle)
    writer.key("per_thousand")
    writer.array { writer in
      for unit in unitCosts {
        writer.object { writer in
          writer.member("unit", unit.unit)
          writer.member("count", unit.count)
          writer.member("own", number: unit.perThousand)
          writer.member("loaded", number: unit.perThousandLoaded)
        }
      }
    }
    writer.key("tenants")
    writer.array { writer in for tenant in tenants { tenant.write(to: &writer) } }
    writer.key("subjects")
    writer.array { writer in for share in shares { share.write(to: &writer) } }
    writer.key("lines")
    writer.array { writer in for line in lines { line.write(to: &writer) } }
    writer.key("unpriced")
    writer.array { writer in for item in unpriced { writer.string(item) } }
  }
}

extension CostReport.Share {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("kind", subject.kind.rawValue)
      writer.member("name", subject.name)
      writer.member("tenant", tenant)
      writer.member("direct", number: direct)
      writer.member("loaded", number: loaded)
    }
  }
}

extension CostReport.TenantCost {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("tenant", tenant)
      writer.member("events", events)
      writer.member("predictions", predictions)
      writer.member("direct", number: direct)
      writer.member("loaded", number: loaded)
    }
  }
}

extension CostReport.Line {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("operator", operation)
      writer.member("kind", subject.kind.rawValue)
      writer.member("name", subject.name)
      writer.member("tenant", tenant)
      writer.member("item", item)
      writer.member("quantity", number: quantity)
      writer.member("unit", unit)
      writer.member("unit_price", number: unitPrice)
      writer.member("cost", number: cost)
    }
  }
}

extension Advice {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("kind", kind.rawValue)
      writer.member("subject", subject)
      writer.member("reason", reason)
      writer.member("remedy", remedy)
      if let savedShare { writer.member("saved_share", number: savedShare) }
    }
  }
}

extension JSONWriter {
  fileprivate mutating func member(_ name: String, number: Double) {
    key(name)
    double(number)
  }
}
