package import Core
package import Features
package import OfflineStore
package import OnlineStore
package import Topology

/// The time at which features are read.
package enum ReadTime: Sendable, Hashable {
  /// The wall clock.
  case now
  /// Epoch milliseconds.
  case asOf(Int64)
  /// The watermark of the view's rows: what they would say if the clock stood where their events do.
  case latest
}

/// When a read was.
package struct ReadMoment: Sendable, Hashable {
  /// The time that windows ended at; epoch milliseconds.
  package var atMilliseconds: Int64
  /// Up to where event time was seen where the rows are; epoch milliseconds. Nil before the first event.
  package var watermarkMilliseconds: Int64?

  package init(atMilliseconds: Int64, watermarkMilliseconds: Int64?) {
    self.atMilliseconds = atMilliseconds
    self.watermarkMilliseconds = watermarkMilliseconds
  }
}

/// Why features cannot be read here and now.
package enum ReadError: Error, Sendable, Equatable {
  /// The task that owns the key is not in this process.
  case notOwned(partition: Int32)
  /// The task is being restored, or waits for a person.
  case notReady(partition: Int32, why: String)
  /// The view is still being built from the log.
  case building(view: String)
  /// The time lies before what is retained.
  case beforeHorizon(view: String)
  /// The disk failed.
  case failed(HeadraceError)
}

/// Reads the features of one plan from any thread: key → partition → task → rows.
///
/// A read sees every record that was applied when it began, committed or not: the state is a function of committed
/// input. Views that another plan has as well are read on while tasks go over to it, or have gone.
package struct FeatureReader: Sendable {
  /// What positions of views and features are positions in.
  package let plan: Plan
  let board: TaskBoard
  private let clock: WallClock

  init(plan: Plan, board: TaskBoard, clock: WallClock) {
    self.plan = plan
    self.board = board
    self.clock = clock
  }

  /// Reads features of one entity.
  ///
  /// - Parameters:
  ///   - view: a position in `plan.views`.
  ///   - features: positions in the view's features.
  ///   - values: replaced by one value for each, in their order; empty when the read fails.
  @discardableResult
  package func read(
    view: Int, key: EntityKey, at time: ReadTime = .now, features: [Int], into values: inout [FeatureValue]
  ) throws(ReadError) -> ReadMoment {
    let task = try task(of: key, view: view)
    return try read(task, try access(task, view), view, key, time, features, &values).moment
  }

  /// - Returns: also the offset behind the newest record that the row's view had been changed by.
  private func read(
    _ task: TaskPublication, _ access: TaskPublication.Access, _ view: Int, _ key: EntityKey, _ time: ReadTime,
    _ features: [Int], _ values: inout [FeatureValue]
  ) throws(ReadError) -> (moment: ReadMoment, rowOffset: Int64) {
    let milliseconds = milliseconds(of: time, access)
    let rowOffset: Int64
    do throws(HeadraceError) {
      rowOffset = try task.store.read(
        view: access.storeView, key: key, at: milliseconds, watermark: access.watermark, features: features,
        into: &values)
    } catch {
      values.removeAll(keepingCapacity: true)
      throw error.code == "STATE_CLOSED" || error.code == "STATE_VIEW_DROPPED"
        ? .notReady(partition: task.partition, why: "the task is moving") : .failed(error)
    }
    if case .asOf = time, values.contains(where: { $0.flags.contains(.beforeHorizon) }) {
      values.removeAll(keepingCapacity: true)
      throw .beforeHorizon(view: plan.views[view].name)
    }
    let moment = ReadMoment(
      atMilliseconds: milliseconds, watermarkMilliseconds: access.watermark == .min ? nil : access.watermark)
    return (moment, rowOffset)
  }

  /// As `read`, and says which records the row was made of.
  ///
  /// - Returns: without a prefix when other records were being applied each time that it looked.
  package func readTraced(
    view: Int, key: EntityKey, at time: ReadTime, features: [Int], into values: inout [FeatureValue]
  ) throws(ReadError) -> (moment: ReadMoment, prefix: LogPrefix?) {
    var moment = ReadMoment(atMilliseconds: 0, watermarkMilliseconds: nil)
    for _ in 0..<Self.traces {
      let task = try task(of: key, view: view)
      let access = try access(task, view)
      // Before the row: what is told of the task then is in the row, or the row says that it has more.
      let told = told(task, access, view)
      let (found, rowOffset) = try read(task, access, view, key, time, features, &values)
      moment = found
      if let prefix = told.flatMap({ position(task, view, $0, rowOffset: rowOffset) }) { return (moment, prefix) }
    }
    return (moment, nil)
  }

  /// How often a read is made again that fell between two pieces of a batch.
  private static let traces = 4

  /// The number of the task that owns a key's row; nil until the cluster was asked how many there are.
  package func partition(of key: EntityKey, view: Int) -> Int32? {
    guard let count = board.partitionCount else { return nil }
    let view = plan.views[view]
    let partitioner = view.isRepartitioned ? nil : plan.sources[view.source].partitioner
    return unsafe key.bytes.withUnsafeBytes {
      unsafe (partitioner ?? .murmur2).partition(key: $0, partitionCount: count)
    }
  }

  private func task(of key: EntityKey, view: Int) throws(ReadError) -> TaskPublication {
    guard let partition = partition(of: key, view: view) else {
      throw .notReady(partition: -1, why: "the workers have not started")
    }
    guard let task = board.task(partition) else { throw .notOwned(partition: partition) }
    return task
  }

  func access(_ task: TaskPublication, _ view: Int) throws(ReadError) -> TaskPublication.Access {
    try task.access(plan.views[view].fingerprint, plan.views[view].name)
  }

  private func milliseconds(of time: ReadTime, _ access: TaskPublication.Access) -> Int64 {
    switch time {
    case .now: clock.nowMilliseconds
    case .asOf(let milliseconds): milliseconds
    // Of a view without events every time is as good.
    case .latest: access.watermark == .min ? clock.nowMilliseconds : access.watermark
    }
  }
}
