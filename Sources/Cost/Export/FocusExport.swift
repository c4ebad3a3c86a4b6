internal import Core

/// Charges as FOCUS 1.0 has them (FinOps Open Cost and Usage Specification, June 2024): one row for each line of a
/// report.
package struct FocusExport: Sendable {
  package struct Column: Sendable {
    package var name: String
    package var kind: Kind

    package enum Kind: Sendable { case text, number, time }
  }

  /// A row's value of a column.
  package enum Cell: Sendable, Equatable {
    case null
    case text(String)
    case number(Double)
    /// Epoch milliseconds.
    case time(Int64)
  }

  private let billingAccount: String
  private(set) package var rows: [[Cell]] = []

  /// - Parameter billingAccount: who pays: what the provider calls the account.
  package init(billingAccount: String) { self.billingAccount = billingAccount }

  /// The columns that FOCUS 1.0 asks for, in alphabetical order as it lists them, then ours.
  package static let columns: [Column] = names.map { Column(name: $0, kind: kind(of: $0)) }

  private static let names = [
    "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd",
    "ChargePeriodStart", "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName",
    "CommitmentDiscountStatus", "CommitmentDiscountType", "ConsumedQuantity", "ConsumedUnit", "ContractedCost",
    "ContractedUnitPrice", "EffectiveCost", "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory",
    "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId",
    "ResourceName", "ResourceType", "ServiceCategory", "ServiceName", "SkuId", "SkuPriceId", "SubAccountId",
    "SubAccountName", "Tags", "x_Operator", "x_Subject", "x_SubjectKind",
  ]

  private static func kind(of name: String) -> Column.Kind {
    if name.hasSuffix("Cost") || name.hasSuffix("Quantity") || name.hasSuffix("UnitPrice") { return .number }
    return name.hasSuffix("PeriodStart") || name.hasSuffix("PeriodEnd") ? .time : .text
  }

  /// Adds the charges of a report.
  package mutating func append(_ report: CostReport, prices: PriceBook) {
    let usage = report.usage
    for line in report.lines {
      let billing = Self.month(of: usage.fromMilliseconds)
      let isIdle = line.operation == CostReport.idleOperation
      var cells: [String: Cell] = [
        "BillingAccountId": .text(billingAccount), "BillingAccountName": .text(billingAccount),
        "BillingCurrency": .text(report.currency), "BillingPeriodStart": .time(billing.lowerBound),
        "BillingPeriodEnd": .time(billing.upperBound), "ChargePeriodStart": .time(usage.fromMilliseconds),
        "ChargePeriodEnd": .time(usage.toMilliseconds), "ChargeCategory": .text("Usage"),
        "ChargeFrequency": .text("Usage-Based"), "ChargeDescription": .text(Self.description(line)),
        "InvoiceIssuerName": .text(line.provider), "ProviderName": .text(line.provider),
        "PublisherName": .text(line.provider), "PricingCategory": .text("Standard"),
        "PricingQuantity": .number(line.quantity), "PricingUnit": .text(line.unit),
        "ServiceCategory": .text(Self.category(line.item)), "ServiceName": .text("Headrace"),
        "SkuId": .text(line.item), "SkuPriceId": .text("\(prices.name)/\(line.item)"),
        "ResourceId": .text("\(usage.topology)/\(usage.process)"), "ResourceName": .text(usage.topology),
        "ResourceType": .text("Stream topology"), "SubAccountId": .text(line.tenant),
        "SubAccountName": .text(line.tenant),
        "Tags": .text(Self.tags(usage.topology, line)), "x_Operator": .text(line.operation),
        "x_SubjectKind": .text(line.subject.kind.rawValue),
      ]
      if !isIdle {
        cells["ConsumedQuantity"] = .number(line.quantity)
        cells["ConsumedUnit"] = .text(line.unit)
      }
      if !line.subject.name.isEmpty { cells["x_Subject"] = .text(line.subject.name) }
      if !prices.region.isEmpty {
        cells["RegionId"] = .text(prices.region)
        cells["RegionName"] = .text(prices.region)
      }
      for cost in ["BilledCost", "ContractedCost", "EffectiveCost", "ListCost"] { cells[cost] = .number(line.cost) }
      for price in ["ContractedUnitPrice", "ListUnitPrice"] { cells[price] = .number(line.unitPrice) }
      rows.append(Self.names.map { cells[$0] ?? .null })
    }
  }

  /// Of the calendar, in UTC.
  private static func month(of milliseconds: Int64) -> Range<Int64> {
    let day: Int64 = 86_400_000
    let date = CivilDate(daysSinceEpoch: (milliseconds - (milliseconds % day + day) % day) / day)
    let first = CivilDate(year: date.year, month: date.month, day: 1)
    let next = CivilDate(year: date.month == 12 ? date.year + 1 : date.year, month: date.month % 12 + 1, day: 1)
    return first.daysSinceEpoch * day..<next.daysSinceEpoch * day
  }

  private static func category(_ item: String) -> String {
    switch PriceBook.Item(rawValue: item) {
    case .diskGiBMonth, .objectGiBMonth: "Storage"
    case .networkInGiB, .networkOutGiB: "Networking"
    case .gpuHour, nil: "AI and Machine Learning"
    case .cpuCoreHour, .memoryGiBHour: "Compute"
    }
  }

  private static func description(_ line: CostReport.Line) -> String {
    let subject = line.subject.name.isEmpty ? "" : " of \(line.subject.kind.rawValue) \(line.subject.name)"
    return "\(line.item) for \(line.operation)\(subject)"
  }

  private static func tags(_ topology: String, _ line: CostReport.Line) -> String {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("topology", topology)
      writer.member("tenant", line.tenant)
      writer.member("operator", line.operation)
      if !line.subject.name.isEmpty { writer.member(line.subject.kind.rawValue, line.subject.name) }
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

extension FocusExport {
  /// CSV (RFC 4180) with a header; a null is an empty cell.
  package var csv: [UInt8] {
    var text = Self.names.joined(separator: ",") + "\r\n"
    for row in rows { text += row.map(Self.field).joined(separator: ",") + "\r\n" }
    return Array(text.utf8)
  }

  private static func field(_ cell: Cell) -> String {
    switch cell {
    case .null: ""
    case .number(let number): MoneyText.decimal(number, 15)
    case .time(let milliseconds): RFC3339.text(milliseconds: milliseconds - milliseconds % 1_000)
    case .text(let text):
      text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline })
        ? "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\"" : text
    }
  }
}
