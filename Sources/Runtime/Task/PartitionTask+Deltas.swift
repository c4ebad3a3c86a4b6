internal import Core
internal import Features
internal import Kafka
internal import Topology

// What the tasks of a repartitioned view's keys are sent with each commit.

extension PartitionTask {
  /// Moves the rows of this commit to the outputs; tells those who get none how late it is, about once a second.
  func drainDeltas(_ offsets: [Int64]) throws(HeadraceError) {
    let now = WallClock.monotonic.nowMilliseconds
    let tellsWatermark = now - watermarkSentAtMilliseconds >= 1_000
    for (index, input) in inputs.enumerated() where !machine.inputs[index].isReplaying {
      let isIdle = now - input.lastRecordAtMilliseconds > context.configuration.idleAfterMilliseconds
      for source in input.sources {
        for target in source.deltas {
          var envelope = DeltaEnvelope(
            partition: number, firstOffset: target.table.firstOffset ?? offsets[index], nextOffset: offsets[index],
            watermark: source.record.watermark, view: target.plan.fingerprint.value, hasRow: true)
          let hasRows = target.table.count > 0
          try target.table.drain { entry throws(HeadraceError) in
            outputs.delta(view: target.view, envelope, entry)
          }
          // Idle partitions say so once; it is undone by the first row, or the first watermark that moves.
          let known = sentWatermarks[target.view]
          let state = isIdle ? Int64.max : source.record.watermark
          // `.min`: nothing has come yet, and nobody counts on more to come.
          guard state > .min, state != known, tellsWatermark || hasRows && known == .max else { continue }
          envelope.hasRow = false
          envelope.isIdle = isIdle
          for partition in 0..<context.partitionCount {
            outputs.watermark(view: target.view, envelope, to: partition)
          }
          sentWatermarks[target.view] = state
        }
      }
    }
    if tellsWatermark { watermarkSentAtMilliseconds = now }
  }

  /// Whether somebody waits for a watermark that no record brings along.
  var owesWatermark: Bool {
    let now = WallClock.monotonic.nowMilliseconds
    guard now - watermarkSentAtMilliseconds >= 1_000 else { return false }
    for input in inputs {
      let isIdle = now - input.lastRecordAtMilliseconds > context.configuration.idleAfterMilliseconds
      for source in input.sources {
        let state = isIdle ? Int64.max : source.record.watermark
        guard state > .min else { continue }
        for target in source.deltas where sentWatermarks[target.view] != state { return true }
      }
    }
    return false
  }
}
