internal import Core
internal import Logging
internal import NIOCore

/// All of the broker's state, confined to one event loop.
///
/// The extensions in `Handlers/` answer one API each. Whatever must survive a kill goes through `record` (the journal)
/// or through a partition's log before anybody is told of it.
final class BrokerCore {
  static let nodeID: Int32 = 1

  let configuration: BrokerConfiguration
  let logger: Logger
  let loop: any EventLoop
  let worker = BackgroundWorker()
  let folder: DataFolder
  let logResources: LogResources
  var journal: JournalFile
  /// From this size on it is worth looking whether a snapshot would be much smaller.
  var journalRewriteSizeBytes: Int64
  var isJournalBeingFlushed = false
  /// Whether decided transactions that the disk refused will be tried again.
  var isFinishingScheduled = false
  var clusterID = ""
  var topics: [String: Topic] = [:]
  var topicNames: [TopicID: String] = [:]
  var groups: GroupCoordinator
  var transactions: TransactionCoordinator
  var waitingReplies: [ReplyToken: WaitingReply] = [:]
  var lastReplyToken: UInt64 = 0
  var faults: FaultSchedule
  private(set) var advertisedHost = ""
  private(set) var advertisedPort: Int32 = 0

  private let coordinatorOriginMilliseconds: Int64
  private var connections: [UInt64: Connection] = [:]
  private var connectionsByAddress: [String: Int] = [:]
  private var lastConnectionIdentifier: UInt64 = 0
  /// Bytes of unfinished frames over all connections; kept by `Connection`.
  var partialFrameBytes = 0
  private(set) var isDraining = false
  private var repeatedTasks: [RepeatedTask] = []
  lazy var groupAlarm = Alarm(loop: loop) { [unowned self] in advanceGroups() }
  lazy var transactionAlarm = Alarm(loop: loop) { [unowned self] in advanceTransactions() }

  /// Opens the folder and brings every view of it back: the journal first, then each partition's log.
  init(_ configuration: BrokerConfiguration, logger: Logger, loop: any EventLoop) throws(HeadraceError) {
    self.configuration = configuration
    self.logger = logger
    self.loop = loop
    faults = FaultSchedule(configuration.faults)
    journalRewriteSizeBytes = configuration.maintenance.journalSnapshotBytes
    logResources = LogResources(maximumExpandedBytes: configuration.limits.decompressedBatchBytes)
    coordinatorOriginMilliseconds = WallClock.system.nowMilliseconds - WallClock.monotonic.nowMilliseconds
    folder = try DataFolder(path: configuration.dataDirectory)
    groups = GroupCoordinator(configuration: configuration.groupConfiguration, seed: .random(in: .min ... .max))
    transactions = TransactionCoordinator(configuration: configuration.transactionConfiguration)
    var records: [JournalRecord] = []
    journal = try JournalFile.open(path: folder.journalPath) { payload throws(HeadraceError) in
      records += try JournalRecord.decode(payload)
    }
    for record in records { apply(record) }
    try restore()
  }

  /// Milliseconds since 1970: what records are stamped with.
  var wallMilliseconds: Int64 { WallClock.system.nowMilliseconds }
  /// For time-outs, which no clock adjustment may move.
  var monotonicMilliseconds: Int64 { WallClock.monotonic.nowMilliseconds }

  /// For the coordinators: milliseconds since 1970 as the clock said at start, and from then on never back.
  var coordinatorMilliseconds: Int64 { coordinatorOriginMilliseconds + monotonicMilliseconds }

  func beginServing(advertisedHost: String, advertisedPort: Int32) {
    self.advertisedHost = advertisedHost
    self.advertisedPort = advertisedPort
    finishPreparedTransactions()
    snapshotJournalIfDue()
    startMaintenance()
    KillPoint.pass(.startBeforeServing)
  }

  // MARK: Connections

  /// - Returns: the handler of a new connection, or nil when there are too many.
  func admit(peerAddress: String) -> Connection? {
    let limits = configuration.limits
    guard !isDraining, connections.count < limits.connections,
      connectionsByAddress[peerAddress, default: 0] < limits.connectionsPerAddress
    else {
      logger.warning("refusing a connection: too many are open", metadata: ["peer": "\(peerAddress)"])
      return nil
    }
    lastConnectionIdentifier += 1
    return Connection(
      core: self, identifier: lastConnectionIdentifier, peerAddress: peerAddress,
      requiresAuthentication: configuration.authentication != nil)
  }

  func opened(_ connection: Connection) {
    connections[connection.identifier] = connection
    connectionsByAddress[connection.peerAddress, default: 0] += 1
  }

  func closed(_ connection: Connection) {
    guard connections.removeValue(forKey: connection.identifier) != nil else { return }
    let remaining = connectionsByAddress[connection.peerAddress, default: 1] - 1
    connectionsByAddress[connection.peerAddress] = remaining > 0 ? remaining : nil
  }

  func closeOverstayedConnections() {
    let now = monotonicMilliseconds
    for connection in connections.values {
      if let reason = connection.overstayReason(nowMilliseconds: now) { connection.close(because: reason) }
    }
  }

  // MARK: The end

  func every(_ milliseconds: Int64, _ action: @escaping (BrokerCore) -> Void) {
    let period = TimeAmount.milliseconds(milliseconds)
    let bound = NIOLoopBound((core: self, action: action), eventLoop: loop)
    repeatedTasks.append(
      loop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in bound.value.action(bound.value.core) })
  }

  /// Closes every connection and every log; what is on disk afterwards opens without recovery.
  func drain() -> EventLoopFuture<Void> {
    isDraining = true
    for connection in connections.values { connection.close(because: "the broker stops") }
    repeatedTasks.forEach { $0.cancel() }
    groupAlarm.cancel()
    transactionAlarm.cancel()
    let core = NIOLoopBound(self, eventLoop: loop)
    let promise = loop.makePromise(of: Void.self)
    promise.completeWithTask { [worker] in try await worker.stop() }
    return promise.futureResult.map { core.value.closeLogs() }
  }

  /// After a start that failed half way: nothing was served, so nothing has to be written.
  func abandon() {
    worker.run(on: loop, {}, completion: { _ in })
  }

  private func closeLogs() {
    do throws(HeadraceError) {
      for topic in topics.values {
        for partition in topic.partitions { try partition.log.close() }
      }
      try journal.synchronize()
    } catch {
      logger.error("the folder will need recovery at the next start", metadata: ["error": "\(error)"])
    }
  }
}
