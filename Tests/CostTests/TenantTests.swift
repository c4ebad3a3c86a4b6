import Core
import Testing

@testable import Cost

struct TenantTests {
  private func count(_ names: [String?], _ counter: TenantCounter) {
    for name in names {
      guard var name else {
        counter.countUnknown()
        continue
      }
      name.withUTF8 { unsafe counter.count(name: UnsafeRawBufferPointer($0)) }
    }
    counter.flush()
  }

  /// The same, event by event, with a dictionary.
  private func naive(_ names: [String?], maximum: Int) -> [String: Int64] {
    var (counts, seen) = ([String: Int64](), Set<String>())
    for name in names {
      var tenant = name ?? ""
      if tenant.isEmpty {
        tenant = "unknown"
      } else if tenant.utf8.count > TenantCounter.nameBytesMaximum || !seen.contains(tenant) && seen.count == maximum {
        tenant = "other"
      } else {
        seen.insert(tenant)
      }
      counts[tenant, default: 0] += 1
    }
    return counts
  }

  @Test func `counts are those of a dictionary, and what has no room is other`() {
    var random = SplitMix64(seed: 11)
    for maximum in [0, 1, 7, 1_000] {
      let meter = TenantMeter(namesMaximum: maximum)
      let counter = TenantCounter(meter, isOfIntegers: false)
      var all: [String?] = []
      for _ in 0..<20 {
        let batch: [String?] = (0..<500).map { _ in
          switch random.next() % 50 {
          case 0: nil
          case 1: ""
          case 2: String(repeating: "x", count: 201)
          default: "tenant-\(random.next() % 1_500)"
          }
        }
        count(batch, counter)
        all += batch
      }
      #expect(meter.counts == naive(all, maximum: maximum))
      #expect(meter.counts.values.reduce(0, +) == 10_000)
    }
  }

  @Test func `threads that count by the same meter agree on who has room`() {
    let meter = TenantMeter(namesMaximum: 3)
    let (first, second) = (
      TenantCounter(meter, isOfIntegers: false), TenantCounter(meter, isOfIntegers: false)
    )
    count(["a", "b"], first)
    count(["c", "d", "a", "b", "e"], second)
    count(["c", "d", "a"], first)
    #expect(meter.counts == ["a": 3, "b": 2, "c": 2, "other": 3])
  }

  /// 4,096 spellings that Swift calls one text, and as many that are no text at all: more than a table has places.
  @Test(arguments: [true, false])
  func `spellings of one name are counted by their bytes, and fill no table`(isText: Bool) {
    let meter = TenantMeter()
    let counters = (0..<2).map { _ in TenantCounter(meter, isOfIntegers: false) }
    for counter in counters {
      for spelling in 0..<4_096 {
        var name: [UInt8] = []
        if isText {
          // Each letter in one part or in two.
          for letter in 0..<12 {
            let bytes: [UInt8] = (spelling >> letter) & 1 == 0 ? [0xC3, 0xA9] : [0x65, 0xCC, 0x81]
            name += bytes
          }
        } else {
          name = [0x80 + UInt8(spelling & 63), 0x80 + UInt8(spelling >> 6)]
        }
        unsafe name.withUnsafeBytes { unsafe counter.count(name: $0) }
      }
      counter.flush()
    }
    let text = isText ? String(repeating: "\u{E9}", count: 12) : "\u{FFFD}\u{FFFD}"
    #expect(meter.counts == [text: 2_000, "other": 6_192])
  }

  @Test func `numbers are tenants too`() {
    let meter = TenantMeter(namesMaximum: 2)
    let (first, second) = (TenantCounter(meter, isOfIntegers: true), TenantCounter(meter, isOfIntegers: true))
    for number: Int64 in [5, -7, 5, .max] { first.count(number: number) }
    first.flush()
    for number: Int64 in [9, -7, 5] { second.count(number: number) }
    second.flush()
    #expect(meter.counts == ["5": 3, "-7": 2, "other": 2])
  }

  private let prices = PriceBook(
    name: "list", currency: "USD", provider: "P", region: "r",
    periods: [
      .init(
        fromMilliseconds: 0,
        prices: [
          .cpuCoreHour: .init(36, source: ""), .networkInGiB: .init(1, source: ""), .diskGiBMonth: .init(2, source: ""),
        ])
    ])

  private func usage(_ lines: [(Operator, Subject, nanoseconds: Int64, items: Int64)]) -> UsageReport {
    let meters = MeterTable()
    for (operation, subject, nanoseconds, items) in lines {
      meters.add(nanoseconds, .cpuNanoseconds, to: meters.slot(operation, subject))
      meters.add(items, .items, to: meters.slot(operation, subject))
    }
    let total = lines.reduce(0) { $0 + $1.nanoseconds }
    var usage = UsageReport(
      topology: "t", process: "p", fromMilliseconds: 0, toMilliseconds: 1_000, cores: 1, processCPUNanoseconds: total)
    usage.account(meters.readings, threads: [.poll: total])
    return usage
  }

  @Test func `shares are those of an account event by event`() {
    var random = SplitMix64(seed: 5)
    let source = Subject.source("payments")
    for _ in 0..<50 {
      let events = (0..<Int(random.next() % 400 + 1)).map { _ in "t\(random.next() % 5)" }
      let (decode, views) = (Int64(random.next() % 1_000_000_000), Int64(random.next() % 1_000_000_000))
      var usage = usage([(.decode, source, decode, Int64(events.count)), (.views, .view("v"), views, 0)])
      usage.holdings = [.init(.disk, "state", .view("v"), bytes: 9, byteMilliseconds: 1e15)]
      usage.tenants.owners = [source: .shared(by: source), .view("v"): .shared(by: source)]
      usage.tenants.items[source] = events.reduce(into: [:]) { $0[$1, default: 0] += 1 }
      let report = CostReport(usage, prices: prices)
      // Each event pays for its part of the nanoseconds and of the bytes.
      var naive: [String: Double] = [:]
      let gibMonths = 1e15 / Double(1 << 30) / 3.6e6 / CostReport.hoursPerMonth
      for event in events {
        let hours = Double(decode + views) / Double(events.count) / 3.6e12
        naive[event, default: 0] += hours * 36 + gibMonths * 2 / Double(events.count)
      }
      for tenant in report.tenants {
        let expected = naive.removeValue(forKey: tenant.tenant) ?? .nan
        #expect(abs(tenant.direct - expected) <= 1e-9 * expected)
        #expect(tenant.events == events.count { $0 == tenant.tenant })
      }
      #expect(naive.isEmpty)
      #expect(abs(report.tenants.reduce(0) { $0 + $1.loaded } - report.total) <= 1e-9 * report.total)
      // What a subject costs does not depend on how many share it.
      var alone = usage
      alone.tenants = TenantUse()
      let whole = CostReport(alone, prices: prices)
      for subject in [source, .view("v")] {
        let (shared, own) = (report.cost { $0.subject == subject }, whole.cost { $0.subject == subject })
        #expect(abs(shared - own) <= 1e-9 * own)
      }
      #expect(report.unitCosts.map(\.count) == whole.unitCosts.map(\.count))
    }
  }

  @Test func `the topology comes before the price book, which fills in`() throws {
    var book = prices
    book.tenants = [.init(name: "book", patterns: ["view:*"])]
    var usage = usage([(.views, .view("a"), 1_000, 0), (.views, .view("b"), 1_000, 0)])
    usage.tenants.owners[.view("a")] = .tenant("topology")
    // Nothing came that could say whose it is.
    usage.tenants.owners[.view("c")] = .shared(by: .source("s"))
    usage.holdings = [.init(.disk, "state", .view("c"), bytes: 9, byteMilliseconds: 1e12)]
    let shares = CostReport(usage, prices: book).shares
    #expect(Set(shares.map { "\($0.subject.text) \($0.tenant)" }) == ["view:a topology", "view:b book", "view:c book"])
  }

  @Test func `a budget of a tenant counts its part`() {
    let source = Subject.source("s")
    var usage = usage([(.decode, source, 4_000_000_000, 4)])
    usage.tenants.owners[source] = .shared(by: source)
    usage.tenants.items[source] = ["a": 3, "b": 1]
    let report = CostReport(usage, prices: prices)
    let spent = ["a", "b", "c"].map {
      Budget(name: $0, scope: "tenant:\($0)", amount: 1, perMilliseconds: 1, action: .alarm).spent(report)
    }
    #expect(abs(spent[0] - 3 * spent[1]) < 1e-12 && spent[2] == 0)
    let whole = Budget(name: "s", scope: "source:s", amount: 1, perMilliseconds: 1, action: .alarm).spent(report)
    #expect(abs(whole - spent[0] - spent[1]) < 1e-12 && whole > 0)
  }

  @Test func `counts come back out of JSON, and spans are differences`() throws {
    var first = usage([(.decode, .source("s"), 10, 2)])
    first.tenants.owners = [.source("s"): .shared(by: .source("s")), .model("m"): .tenant("\"risk\"")]
    first.tenants.items[.source("s")] = ["a": 2]
    var second = first
    second.tenants.items[.source("s")] = ["a": 2, "b": 5]
    #expect(try UsageReport(json: second.json, place: "here") == second)
    let span = second.since(first)
    #expect(span.tenants.items == [.source("s"): ["b": 5]])
    var sum = first
    sum.merge(span)
    #expect(sum.tenants == second.tenants)
    // Another field of the events is counted from the beginning.
    var other = second
    other.tenants.items[.source("s")] = ["a": 1, "x": 1]
    #expect(other.since(second).tenants.items == [.source("s"): ["a": 1, "x": 1]])
  }
}
