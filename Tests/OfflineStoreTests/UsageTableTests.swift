import Core
import Cost
import Features
import Storage
import Testing

@testable import OfflineStore

struct UsageTableTests {
  private func usage(_ from: Int64, _ to: Int64, nanoseconds: Int64) -> UsageReport {
    let meters = MeterTable()
    meters.add(nanoseconds, .cpuNanoseconds, to: meters.slot(.views, .view("v")))
    meters.add(7, .inputTokens, to: meters.slot(.remoteModels, .model("m"), model: "small"))
    var usage = UsageReport(
      topology: "t", process: "p", fromMilliseconds: from, toMilliseconds: to, cores: 1.5,
      processCPUNanoseconds: nanoseconds)
    usage.account(meters.readings, threads: [.poll: nanoseconds])
    usage.holdings = [.init(.disk, "state", .view("v"), bytes: 5, byteMilliseconds: 2.5)]
    return usage
  }

  @Test func `spans come back as they were written`() throws {
    let store = MemoryBlobStore()
    let spans = [usage(1_000, 2_000, nanoseconds: 10), usage(2_000, 3_000, nanoseconds: 30)]
    for span in spans { try UsageTable.append(span, to: store, nowMilliseconds: span.toMilliseconds) }
    let read = try UsageTable.read(store, sinceMilliseconds: nil)
    #expect(read.map(\.fromMilliseconds) == [1_000, 2_000])
    for (found, span) in zip(read, spans) {
      #expect(found.cores == span.cores)
      #expect(found.processCPUNanoseconds == span.processCPUNanoseconds)
      #expect(found.holdings == span.holdings)
      #expect(found.total(.cpuNanoseconds) == span.total(.cpuNanoseconds))
      #expect(found.lines.contains { $0.model == "small" && $0.amounts[.inputTokens] == 7 })
    }
    #expect(try UsageTable.read(store, sinceMilliseconds: 2_500).map(\.fromMilliseconds) == [2_000])
    #expect(try UsageTable.read(MemoryBlobStore(), sinceMilliseconds: nil).isEmpty)
  }

  @Test func `offsets are shown as ranges`() {
    func text(_ places: [(Int32, Int64)]) -> String {
      OffsetRanges.text(places.map { EventPosition(partition: $0.0, offset: $0.1) })
    }
    #expect(text([]) == "")
    #expect(text([(0, 17)]) == "0:17")
    #expect(text([(0, 17), (0, 19), (0, 20), (0, 21), (3, 5), (3, 6)]) == "0:17,19-21 3:5-6")
  }
}
