import Core
import Features
import Logging
import OnlineStore
import Runtime
import Synchronization

@testable import Serving

/// The rows of one table, as far as their partitions are here.
final class ShardSource: OnlineFeatureSource {
  static let partitionCount: Int32 = 6

  let table: FakeEngine
  private let owned: Mutex<Set<Int32>>
  private let waited = Mutex<[[RecordOffset]]>([])
  private let appliesNothing = Mutex(false)

  init(_ table: FakeEngine, owned: Set<Int32>) {
    self.table = table
    self.owned = Mutex(owned)
  }

  var waits: [[RecordOffset]] { waited.withLock { $0 } }

  static func partition(_ key: EntityKey) -> Int32 { Int32(key.hash % UInt64(partitionCount)) }

  func own(_ partitions: Set<Int32>) { owned.withLock { $0 = partitions } }

  /// Whoever waits from now on waits in vain.
  func applyNothing() { appliesNothing.withLock { $0 = true } }

  func isHere(_ partition: Int32) -> Bool { owned.withLock { $0.contains(partition) } }

  func read(
    view: Int, key: EntityKey, at time: ReadTime, features: [Int], into values: inout [FeatureValue]
  ) throws(OnlineReadError) -> ReadMoment {
    let partition = Self.partition(key)
    guard isHere(partition) else { throw .notOwned(partition: partition, owner: nil) }
    return try table.read(view: view, key: key, at: time, features: features, into: &values)
  }

  func wait(for offsets: [RecordOffset], milliseconds: Int64) async throws(OnlineReadError) {
    waited.withLock { $0.append(offsets) }
    guard appliesNothing.withLock({ $0 }) else { return }
    try? await Task.sleep(for: .milliseconds(milliseconds))
    throw .waitTimedOut
  }
}

/// What the servers of a test believe of one another.
final class OwnerTable: Sendable {
  private let owners = Mutex<[Int32: RowOwner]>([:])

  func set(_ partition: Int32, _ owner: RowOwner?) { owners.withLock { $0[partition] = owner } }

  subscript(partition: Int32) -> RowOwner? { owners.withLock { $0[partition] } }

  /// As one of them sees it.
  struct Seen: RowOwners {
    var table: OwnerTable
    var instance: String

    func owner(of partition: Int32) -> RowOwner? {
      table[partition].flatMap { $0.instance == instance ? nil : $0 }
    }
  }
}

/// Three servers on real ports that share one table.
struct PeerCluster {
  var table = FakeEngine()
  var owners = OwnerTable()
  var sources: [ShardSource] = []
  var servers: [FeatureServer] = []

  static func shard(_ index: Int) -> Set<Int32> { [Int32(index * 2), Int32(index * 2 + 1)] }

  func owner(_ index: Int) -> RowOwner {
    RowOwner(instance: "i\(index)", address: "127.0.0.1:\(servers[index].port)")
  }

  static func with(
    _ configure: (inout ServingConfiguration, inout PeerReads.Configuration) -> Void = { _, _ in },
    _ body: (PeerCluster) async throws -> Void
  ) async throws {
    var configuration = ServingConfiguration()
    configuration.port = 0
    var peering = PeerReads.Configuration()
    peering.backoffMilliseconds = 5
    configure(&configuration, &peering)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    var cluster = PeerCluster()
    for index in 0..<3 {
      let source = ShardSource(cluster.table, owned: shard(index))
      let peers = PeerReads(OwnerTable.Seen(table: cluster.owners, instance: "i\(index)"), peering)
      let server = FeatureServer(
        catalog: TestCatalog.catalog, features: source, events: nil, status: cluster.table, peers: peers,
        configuration: configuration, clock: .init { 1_793_500_300_000 }, logger: logger)
      try await server.start()
      cluster.sources.append(source)
      cluster.servers.append(server)
    }
    for index in 0..<3 {
      for partition in shard(index) { cluster.owners.set(partition, cluster.owner(index)) }
    }
    var failure: (any Error)?
    do {
      try await body(cluster)
    } catch {
      failure = error
    }
    for server in cluster.servers {
      await server.stop()
      await server.peers?.close()
    }
    if let failure { throw failure }
  }
}
