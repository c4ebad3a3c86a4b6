import Core
import Testing

@testable import Cost

struct PriceTests {
  private func book(_ json: String) throws -> PriceBook {
    try PriceBook(JSONDocument(Array(json.utf8), depthMax: 16), place: "prices.yaml")
  }

  private let text = #"""
    {"name": "list", "currency": "USD", "provider": "P", "region": "r", "periods": [
      {"from": "2025-01-01", "cpu_core_hour": {"price": 2, "source": "s"}, "network_in_gib": 1, "disk_gib_month": 0.1},
      {"from": "2025-07-01", "cpu_core_hour": {"price": 3, "source": "s"}}],
     "tenants": {"risk": ["view:pay_*", "model:fraud"]},
     "budgets": [{"name": "b", "scope": "model:fraud", "amount": 5, "per": "day", "action": "sample", "sample": 0.1}]}
    """#

  @Test func `the price of a day is the one that held then`() throws {
    let book = try book(text)
    let july = try #require(RFC3339.milliseconds("2025-07-01"))
    #expect(book.price(of: .cpuCoreHour, at: july - 1)?.amount == 2)
    #expect(book.price(of: .cpuCoreHour, at: july)?.amount == 3)
    #expect(book.price(of: .networkInGiB, at: july) == nil)
    #expect(book.tenant(of: .view("pay_user")) == "risk")
    #expect(book.tenant(of: .view("other")) == "shared")
    #expect(
      book.budgets == [
        .init(
          name: "b", scope: "model:fraud", amount: 5, perMilliseconds: 86_400_000, action: .sample, samplePerMille: 100)
      ])
  }

  @Test func `a wrong price names its path`() throws {
    for (wrong, path) in [
      (#"{"periods": [{"from": "2025-01-01", "cpu_core_our": 1}]}"#, "cpu_core_hour"),
      (#"{"periods": [{"cpu_core_hour": 1}]}"#, "periods[0].from"),
      (#"{"periods": [{"from": "2025-01-01", "cpu_core_hour": -1}]}"#, "cpu_core_hour"), (#"{}"#, "periods"),
    ] {
      let error = #expect(throws: HeadraceError.self) { try book(wrong) }
      #expect(error?.code == "PRICES_INVALID")
      #expect(error?.message.contains(path) == true)
    }
  }

  private func usage() throws -> UsageReport {
    let hour: Int64 = 3_600_000_000_000
    let from = try #require(RFC3339.milliseconds("2025-03-01"))
    let meters = MeterTable()
    meters.add(hour, .cpuNanoseconds, to: meters.slot(.views, .view("pay_user")))
    meters.add(hour / 2, .cpuNanoseconds, to: meters.slot(.decode, .source("payments")))
    meters.add(1_000_000, .items, to: meters.slot(.decode, .source("payments")))
    meters.add(1 << 30, .networkBytesIn, to: meters.slot(.poll, .source("payments")))
    let remote = meters.slot(.remoteModels, .model("fraud"), model: "openai/small")
    meters.add(1_000, .inputTokens, to: remote)
    meters.add(500, .items, to: remote)
    var usage = UsageReport(
      topology: "pay", process: "p", fromMilliseconds: from, toMilliseconds: from + 3_600_000, cores: 4,
      processCPUNanoseconds: 2 * hour)
    usage.account(meters.readings, threads: [.poll: 2 * hour])
    usage.holdings = [
      .init(.disk, "state", .view("pay_user"), bytes: 1 << 30, byteMilliseconds: Double(1 << 30) * 3.6e6 * 730)
    ]
    return usage
  }

  @Test func `lines are quantity times price, and idle is what is left`() throws {
    var book = try book(text)
    book.tokens = try TokenPrices(
      json: Array(
        #"{"small": {"input_cost_per_token": 2e-6, "litellm_provider": "openai"}, "pic": {"mode": "image"}}"#.utf8),
      place: "tokens")
    let report = CostReport(try usage(), prices: book)
    #expect(abs(report.cost { $0.item == "cpu_core_hour" } - 8) < 1e-9)
    #expect(abs(report.idle - 4) < 1e-9)
    #expect(abs(report.cost { $0.item == "network_in_gib" } - 1) < 1e-12)
    #expect(abs(report.cost { $0.item == "disk_gib_month" } - 0.1) < 1e-12)
    #expect(abs(report.cost { $0.item == "input_tokens" } - 0.002) < 1e-12)
    #expect(report.unpriced.isEmpty)
    #expect(abs(report.shares.reduce(0) { $0 + $1.loaded } - report.total) < 1e-9)
    let units = report.unitCosts
    #expect(units.map(\.unit) == ["events", "predictions"])
    #expect(abs(units.reduce(0) { $0 + $1.perThousandLoaded * Double($1.count) / 1_000 } - report.total) < 1e-9)
  }

  @Test func `a budget that asks for a smaller model names it`() throws {
    for (budget, isValid) in [
      (#"{"name": "b", "scope": "model:m", "amount": 1, "per": "day", "action": "smaller_model", "version": 2}"#, true),
      (#"{"name": "b", "scope": "model:m", "amount": 1, "per": "day", "action": "smaller_model"}"#, false),
      (#"{"name": "b", "scope": "total", "amount": 1, "per": "day", "action": "smaller_model", "version": 2}"#, false),
    ] {
      let list = #"{"periods": [{"from": "2025-01-01"}], "budgets": [\#(budget)]}"#
      let book = try? PriceBook(json: Array(list.utf8), place: "prices")
      #expect((book?.budgets.first?.version == 2) == isValid && (book != nil) == isValid)
    }
  }

  @Test func `a budget tells once that it will be and once that it is exceeded`() throws {
    var watch = CostWatch([
      Budget(name: "b", scope: "total", amount: 30, perMilliseconds: 10 * 3_600_000, action: .smallerModel)
    ])
    let book = try book(text)
    var usage = try usage()
    var kinds: [CostEvent.Kind] = []
    for _ in 0..<6 {
      kinds += watch.take(CostReport(usage, prices: book)).map(\.kind)
      usage.fromMilliseconds += 3_600_000
      usage.toMilliseconds += 3_600_000
    }
    #expect(kinds == [.budgetForecast, .budgetExceeded])
  }

  @Test func `an interval that stands out is an anomaly, a usual one is none`() throws {
    var watch = CostWatch([])
    let book = try book(text)
    var random = SplitMix64(seed: 3)
    var usage = try usage()
    var events: [CostEvent] = []
    for step in 0..<60 {
      let factor = step == 50 ? 4 : 1 + Double(random.next() % 100) / 1_000
      usage.lines[0].amounts[.cpuNanoseconds] = Int64(3.6e12 * factor)
      let told = watch.take(CostReport(usage, prices: book))
      if step != 50 { #expect(told.isEmpty) }
      events += told
      usage.fromMilliseconds += 3_600_000
      usage.toMilliseconds += 3_600_000
    }
    #expect(events.allSatisfy { $0.kind == .anomaly })
    #expect(events.contains { $0.scope == "total" })
    let event = try JSONDocument(try #require(events.first).cloudEvent(source: "headrace", id: "1"), depthMax: 4)
    #expect(event["specversion"]?.string == "1.0")
    #expect(event["type"]?.string == "headrace.cost.anomaly")
  }
}

struct AdviceTests {
  @Test func `the fitted curve finds the fixed part of a batch`() throws {
    let points = (0..<12).map { power in
      BatchCurve.Point(batches: 10, rows: 10 << power, nanoseconds: 10 * (20_000 + 500 * Int64(1 << power)))
    }
    let line = try #require(BatchCurve(points: points).line)
    #expect(abs(line.perBatch - 20_000) < 1)
    #expect(abs(line.perRow - 500) < 0.01)
    #expect(abs(line.knee - 400) < 0.1)
    #expect(BatchCurve(points: [points[0]]).line == nil)
  }

  @Test func `buckets are powers of two`() {
    let meter = BatchSizeMeter()
    meter.add(rows: 1, nanoseconds: 5)
    meter.add(rows: 1_000, nanoseconds: 7)
    meter.add(rows: 600, nanoseconds: 9)
    meter.add(rows: 0, nanoseconds: 9)
    #expect(
      meter.curve.points == [
        .init(batches: 1, rows: 1, nanoseconds: 5), .init(batches: 2, rows: 1_600, nanoseconds: 16),
      ])
  }

  @Test func `unused features, wide windows and small batches are told`() {
    func use(_ name: String, _ window: Int64, _ hop: Int64, ttl: Int64? = nil, reads: Int64 = 1) -> FeatureUse {
      FeatureUse(
        view: "v", name: name, windowMilliseconds: window, hopMilliseconds: hop, ttlMilliseconds: ttl,
        isInService: false,
        reads: reads)
    }
    let hour: Int64 = 3_600_000
    let usage = UsageReport(
      topology: "t", process: "p", fromMilliseconds: 0, toMilliseconds: 1, cores: 1, processCPUNanoseconds: 0)
    let advice = Advice.find(
      [use("a", hour, hour / 12), use("b", 6 * hour, hour / 2, reads: 0), use("c", 720 * hour, hour)],
      BatchCurve(
        points: [
          .init(batches: 1_000, rows: 1_000, nanoseconds: 20_500_000),
          .init(batches: 1, rows: 1_024, nanoseconds: 532_000),
        ]), usage)
    #expect(advice.map(\.kind) == [.unusedFeature, .wideWindow, .smallBatches])
    #expect(advice.map(\.subject) == ["v:b", "v:c", "batches"])
    let ttl = Advice.find([use("a", 48 * hour, hour, ttl: 24 * hour)], BatchCurve(points: []), usage)
    #expect(ttl.map(\.kind) == [.wideWindow])
    #expect(ttl.first?.savedShare == 0.5)
  }

  @Test func `amounts of money show their digits`() {
    #expect(MoneyText.text(0) == "0")
    #expect(MoneyText.text(12.345) == "12.35" || MoneyText.text(12.345) == "12.34")
    #expect(MoneyText.text(0.000012345) == "0.00001235" || MoneyText.text(0.000012345) == "0.00001234")
    #expect(MoneyText.decimal(-1.5, 2) == "-1.50")
    #expect(MoneyText.decimal(1e-12, 15) == "0.000000000001000")
  }
}
