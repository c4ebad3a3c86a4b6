internal import Core
internal import Kafka
internal import Logging
internal import OfflineStore
internal import OnlineStore
internal import Topology

// Another plan, while the task runs. DESIGN section 4: the other views do not pause.

extension PartitionTask {
  /// Goes over to another plan where the task stands: S = C first, then the same rows under the new plan. Reads of
  /// views that both plans have are answered all the while.
  ///
  /// What cannot be saved now begins again from its last checkpoint with the new plan, as after a crash.
  func goOver(to next: TaskContext) {
    RuntimeKillPoint.pass(.switchBefore)
    // An older one first: this one is of where the task stands.
    waitForCommitsAndCheckpoints()
    if pendingFailure == nil, machine.phase == .running { save() }
    waitForCommitsAndCheckpoints()
    let isSaved = machine.isSaved && inputs.allSatisfy { $0.archive == nil }
    context = next
    takeEpochOfPlan()
    outputs = Self.outputs(number, next)
    RuntimeKillPoint.pass(.switchAfter)
    do throws(HeadraceError) {
      if let scoring {
        scoring.fill(PredictionBuffers(next.plan, task: number))
      } else {
        scoring = try Self.scoringLane(number, next)
      }
    } catch {
      return fail(error)
    }
    guard isSaved, pendingFailure == nil, let store else { return follow(.failed) }
    do throws(HeadraceError) {
      let record = try checkpointRecord(of: store)
      if spool?.ledger.tables != next.offlineTables(number) { try openSpool(record, [:]) }
      let before = inputs
      inputs = try makeInputs(store, record)
      for (input, former) in zip(inputs, before) {
        input.endOffset = former.endOffset
        input.lastRecordAtMilliseconds = former.lastRecordAtMilliseconds
      }
      publishStatus()
    } catch {
      fail(error)
    }
  }
}
