import Core
import Kafka
import Logging
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Runtime

@Suite struct CostLaneTests {
  /// How often the lane asked which models are to be sampled on.
  private final class Looks: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
  }

  /// Who looks ends the samples whose time is over.
  @Test(arguments: [true, false])
  func `samples are looked after without prices, and where usage cannot be written`(isWritten: Bool) throws {
    let folder = try TestFolder()
    var configuration = RuntimeConfiguration(
      client: ClientConfiguration(bootstrapServers: "127.0.0.1:1"), dataDirectory: folder.path)
    configuration.tableStore = FaultyBlobStore(MemoryBlobStore()) { _, _ in isWritten ? .proceed : .fail }
    let looks = Looks()
    let lane = CostLane(
      CostAccount(dataDirectory: folder.path, clock: .system), configuration, nil, clock: .system, logger: .quiet,
      measure: {}, held: { (topology: "t", readings: []) }, act: { _ in }, sample: { _ in looks.add() })
    var work = lane.makeWork()
    for _ in 0..<2 { lane.close(&work) }
    #expect(looks.value == 2)
    #expect((work.last != nil) == isWritten)
    // What goes changes nothing any more.
    lane.drain()
    lane.close(&work)
    #expect(looks.value == 2)
  }
}
