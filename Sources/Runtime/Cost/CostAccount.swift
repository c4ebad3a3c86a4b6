internal import Core
package import Cost
internal import OnlineStore
internal import Synchronization
internal import Topology

/// What this process used since it started: the meters, its threads, and what it holds.
package final class CostAccount: Sendable {
  private struct State: Sendable {
    var threads = ThreadLedger()
    var holdings: [Key: ByteHours] = [:]
  }

  private struct Key: Hashable, Sendable {
    var medium: UsageReport.Holding.Medium
    var part: String
    var subject: Subject
  }

  /// Bytes that are held now.
  struct Reading: Sendable {
    var medium: UsageReport.Holding.Medium
    var part: String
    var subject: Subject
    var bytes: Int64
  }

  package let meters = MeterTable()
  let tenants = TenantMeters()
  package let batchSizes = BatchSizeMeter()
  package let durations = BatchDurations()
  private let state = Mutex(State())
  private let clock: WallClock
  private let startedMilliseconds: Int64
  private let dataDirectory: String

  init(dataDirectory: String, clock: WallClock) {
    self.dataDirectory = dataDirectory
    self.clock = clock
    // Of the process: what it did before the engine was made is paid for as well.
    startedMilliseconds = clock.nowMilliseconds &- ThreadCPU.processNanoseconds / 1_000_000
  }

  /// Looks at the threads: about once a second, so that what ends in between is not lost.
  func noteThreads() { state.withLock { $0.threads.update() } }

  func note(_ readings: [Reading]) {
    let now = clock.nowMilliseconds
    state.withLock { state in
      var unseen = Set(state.holdings.keys)
      for reading in readings {
        let key = Key(medium: reading.medium, part: reading.part, subject: reading.subject)
        unseen.remove(key)
        state.holdings[key, default: ByteHours()].note(reading.bytes, nowMilliseconds: now)
      }
      for key in unseen { state.holdings[key]?.note(0, nowMilliseconds: now) }
    }
  }

  /// Everything up to now.
  package func usage(topology: String) -> UsageReport {
    let (threads, holdings) = state.withLock { state in
      state.threads.update()
      return (state.threads.totals, state.holdings)
    }
    let readings = meters.readings
    var usage = UsageReport(
      topology: topology, process: dataDirectory, fromMilliseconds: startedMilliseconds,
      toMilliseconds: clock.nowMilliseconds, cores: Double(ParallelWork.processorCount),
      processCPUNanoseconds: ThreadCPU.processNanoseconds)
    usage.account(readings, threads: threads)
    usage.tenants = tenants.use
    usage.holdings = holdings.map { key, hours in
      .init(key.medium, key.part, key.subject, bytes: hours.bytes, byteMilliseconds: hours.byteMilliseconds)
    }.sorted { ($0.medium.rawValue, $0.part, $0.subject) < ($1.medium.rawValue, $1.part, $1.subject) }
    return usage
  }
}

extension CostAccount.Reading {
  init(_ medium: UsageReport.Holding.Medium, _ part: String, _ subject: Subject, _ bytes: Int64) {
    self.init(medium: medium, part: part, subject: subject, bytes: bytes)
  }

  /// Nobody's in particular.
  init(_ medium: UsageReport.Holding.Medium, _ part: String, _ bytes: Int64) {
    self.init(medium: medium, part: part, subject: .process, bytes: bytes)
  }
}
