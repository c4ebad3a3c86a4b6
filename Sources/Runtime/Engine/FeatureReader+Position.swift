internal import OfflineStore
internal import Topology

// Which records a row was made of when it was read.

extension FeatureReader {
  /// What a task tells of one of its views.
  struct Told {
    var appliedOffset: Int64
    /// Nil of a view that is not repartitioned.
    var upstreams: [UpstreamReach]?
  }

  func told(_ task: TaskPublication, _ access: TaskPublication.Access, _ view: Int) -> Told? {
    if let topic = plan.views[view].repartitionTopic {
      return task.reach(of: access.storeView, topic).map {
        Told(appliedOffset: $0.appliedOffset, upstreams: $0.upstreams)
      }
    }
    return task.appliedOffset(of: plan.sources[plan.views[view].source].topic).map { Told(appliedOffset: $0) }
  }

  /// - Parameter rowOffset: what the store said of the row, which was read after `told`.
  /// - Returns: nil when that cannot be told.
  func position(_ task: TaskPublication, _ view: Int, _ told: Told, rowOffset: Int64) -> LogPrefix? {
    let topic = plan.sources[plan.views[view].source].topic
    if let upstreams = told.upstreams {
      // The row has more than what was told: a batch is being merged.
      guard rowOffset <= told.appliedOffset else { return nil }
      return LogPrefix(
        topic: topic,
        parts: upstreams.enumerated().map { partition, reach in
          .init(
            partition: Int32(clamping: partition), wholeOffset: reach.wholeOffset, nextOffset: reach.nextOffset)
        })
    }
    guard rowOffset < .max else { return nil }
    // Records behind the last that changed the view changed no row of it.
    let offset = rowOffset == .min ? told.appliedOffset : rowOffset
    return LogPrefix(
      topic: topic, parts: [.init(partition: task.partition, wholeOffset: offset, nextOffset: offset)])
  }
}
