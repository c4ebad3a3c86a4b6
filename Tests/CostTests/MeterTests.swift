import Core
import Testing

@testable import Cost

struct MeterTests {
  @Test func `a slot is the same each time, and what does not fit is added up`() {
    let meters = MeterTable(slotCount: 3)
    let decode = meters.slot(.decode, .source("a"))
    #expect(meters.slot(.decode, .source("a")) == decode)
    #expect(meters.slot(.decode, .source("b")) != decode)
    meters.add(5, .items, to: decode)
    meters.add(7, .items, to: meters.slot(.views, .view("too much")))
    meters.add(1, .items, to: meters.slot(.views, .view("too much as well")))
    #expect(meters.readings.map { $0.amounts[.items] } == [8, 5])
  }

  @Test func `marks divide a thread's time without a rest`() {
    let meters = MeterTable()
    let (first, second) = (meters.slot(.decode), meters.slot(.views))
    let before = ThreadCPU.currentNanoseconds
    let clock = StageClock(meters)
    var sum = 0.0
    for index in 0..<200_000 { sum += Double(index).squareRoot() }
    clock.mark(first, items: 1)
    for index in 0..<200_000 { sum += Double(index).squareRoot() }
    clock.mark(second)
    let after = ThreadCPU.currentNanoseconds
    #expect(sum > 0)
    let measured = meters.readings.reduce(0) { $0 + $1.amounts[.cpuNanoseconds] }
    #expect(measured > 0 && measured <= after - before)
    #expect(Double(measured) > 0.98 * Double(after - before) - 50_000)
  }

  @Test func `threads that ended keep what they had`() {
    var ledger = ThreadLedger()
    ledger.update([(1, "worker-0", 100), (2, "rdk:broker1", 50), (3, "NIO-ELT-0-#0", 5)])
    ledger.update([(1, "worker-0", 300), (2, "rocksdb:low", 20)])
    #expect(ledger.totals == [.poll: 300, .client: 50, .compaction: 20, .serving: 5])
  }

  @Test func `the ledger of this process is not more than the process`() {
    var ledger = ThreadLedger()
    ledger.update()
    let total = ledger.totals.values.reduce(0, +)
    #expect(total > 0 && total <= ThreadCPU.processNanoseconds)
  }

  @Test func `lines add up to the process`() {
    let meters = MeterTable()
    meters.add(400, .cpuNanoseconds, to: meters.slot(.decode, .source("a")))
    meters.add(300, .cpuNanoseconds, to: meters.slot(.views, .view("v")))
    meters.add(10, .items, to: meters.slot(.decode, .source("a")))
    var usage = UsageReport(
      topology: "t", process: "p", fromMilliseconds: 0, toMilliseconds: 1_000, cores: 2, processCPUNanoseconds: 1_000)
    usage.account(meters.readings, threads: [.poll: 800, .serving: 100])
    #expect(usage.total(.cpuNanoseconds) == 1_000)
    #expect(usage.total(.cpuNanoseconds) { $0.operation == .poll } == 100)
    #expect(usage.unattributedShare == 0.1)
    #expect(usage.events == 10)
    #expect(abs(usage.idleShare - (1 - 1_000 / 2e9)) < 1e-12)
  }

  @Test func `a report comes back out of its JSON`() throws {
    let meters = MeterTable()
    let slot = meters.slot(.remoteModels, .model("m"), model: "gpt")
    for (index, resource) in Resource.allCases.enumerated() { meters.add(Int64(index + 1), resource, to: slot) }
    var usage = UsageReport(
      topology: "t\"", process: "p", fromMilliseconds: 1, toMilliseconds: 5, cores: 1.5, processCPUNanoseconds: 9)
    usage.account(meters.readings, threads: [:])
    usage.holdings = [.init(.disk, "state", .view("v"), bytes: 3, byteMilliseconds: 0.5)]
    let back = try UsageReport(json: usage.json, place: "here")
    #expect(back == usage)
  }

  @Test func `a span is the difference of two reports, and merging brings it back`() {
    var ledger = ByteHours()
    ledger.note(100, nowMilliseconds: 0)
    ledger.note(300, nowMilliseconds: 10)
    #expect(ledger.byteMilliseconds == 2_000)
    let meters = MeterTable()
    let slot = meters.slot(.decode, .source("a"))
    func report(_ to: Int64, _ cpu: Int64) -> UsageReport {
      var usage = UsageReport(
        topology: "t", process: "p", fromMilliseconds: 0, toMilliseconds: to, cores: 1, processCPUNanoseconds: cpu)
      usage.account(meters.readings, threads: [:])
      return usage
    }
    meters.add(10, .cpuNanoseconds, to: slot)
    let first = report(10, 10)
    meters.add(20, .cpuNanoseconds, to: slot)
    let second = report(20, 30)
    let difference = second.since(first)
    #expect(difference.total(.cpuNanoseconds) == 20)
    #expect(difference.processCPUNanoseconds == 20)
    var sum = first
    sum.merge(difference)
    #expect(sum.total(.cpuNanoseconds) == second.total(.cpuNanoseconds))
    #expect(sum.toMilliseconds == 20 && sum.cores == 1)
  }
}
