internal import Core
internal import Kafka
internal import Logging
internal import Topology

// Which versions of the models score: what `ModelEpochs` says of the protocol, in one task.

extension PartitionTask {
  /// What the task is to go over to with its next commit; nil while there is nothing, or the last switch is not written
  /// down yet.
  var nextEpoch: ModelEpoch? {
    guard context.models.usesRegistry, machine.isReadable, let next = context.models.next(after: epoch.position),
      context.scoringNotes.isWritten(number, epoch.position)
    else { return nil }
    return next
  }

  /// Records from these offsets on, which the commit that is about to be sent makes C, are scored by the next epoch.
  func goOverToNextEpoch(at offsets: [Int64]) {
    guard let next = nextEpoch, zip(machine.inputs, offsets).allSatisfy({ $0.applied == $1 }) else { return }
    RuntimeKillPoint.pass(.scoringBefore)
    logger.info(
      "other versions of the models score from here on",
      metadata: ["position": "\(next.position)", "offsets": "\(offsets)"])
    epoch = next
    scoringSince = offsets
    for input in inputs { for source in input.sources { source.modelStage?.take(next) } }
  }

  /// What is committed beside the offset of an input.
  func scoring(ofInput index: Int) -> ScoringPosition? {
    guard context.models.usesRegistry, index < scoringSince.count else { return nil }
    return ScoringPosition(position: epoch.position, since: scoringSince[index])
  }

  /// A commit is known: what it says of the models is to be written down.
  func noteScoring() {
    guard context.models.usesRegistry, scoringSince.count == inputs.count,
      !context.scoringNotes.isWritten(number, epoch.position)
    else { return }
    RuntimeKillPoint.pass(.scoringCommitted)
    let offsets = Dictionary(zip(partitions, scoringSince)) { first, _ in first }
    context.scoringNotes.add(number, .init(position: epoch.position, offsets: offsets))
  }

  /// Records from C on are scored by what was committed with C.
  ///
  /// - Throws: `REGISTRY_BEHIND` when this process has to read the control topic further first.
  func takeCommittedEpoch() throws(HeadraceError) {
    scoringSince = []
    guard context.models.usesRegistry else { return }
    let committed = inputs.compactMap(\.committedMetadata?.scoring)
    guard committed.count == inputs.count, let position = committed.map(\.position).max() else {
      // Nothing was ever committed, or by a plan without such models: it begins with what is in force.
      return take(context.models.newest)
    }
    scoringSince = committed.map(\.since)
    take(try context.models.epoch(asOf: position))
  }

  /// Nothing is committed of the epoch yet: the first commit says since where.
  func beginEpoch() {
    guard context.models.usesRegistry else { return }
    if scoringSince.count != inputs.count { scoringSince = machine.inputs.map(\.emitsFrom) }
    // It may have died before this was written down.
    if inputs.allSatisfy({ $0.committedMetadata?.scoring != nil }) { noteScoring() }
  }

  /// The same versions, as the models of another plan have them.
  func takeEpochOfPlan() {
    guard context.models.usesRegistry, !scoringSince.isEmpty else {
      epoch = context.models.newest
      scoringSince = context.models.usesRegistry ? machine.inputs.map(\.applied) : []
      return
    }
    do throws(HeadraceError) {
      epoch = try context.models.epoch(asOf: epoch.position)
    } catch {
      epoch = context.models.newest
    }
  }

  private func take(_ next: ModelEpoch) {
    epoch = next
    for input in inputs { for source in input.sources { source.modelStage?.take(next) } }
  }
}
