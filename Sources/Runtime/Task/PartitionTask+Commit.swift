internal import Core
internal import Kafka
internal import Logging
internal import OnlineStore
internal import Topology

// Commits.

extension PartitionTask {
  /// Does what is due. Called by the worker between polls.
  func tick(nowMilliseconds now: Int64) {
    if let error = pendingFailure { fail(error) }
    if machine.phase == .new { openState() }
    while let report = lane?.take() { hear(report) }
    if let result = checkpointLane.take() { endCheckpoint(result) }
    guard machine.phase == .running else {
      balance(now)
      return publishStatus(now)
    }
    advanceArchives()
    advanceBootstraps()
    // Half of a batch may be applied: nothing of it is saved.
    guard pendingFailure == nil else { return publishStatus(now) }
    noteSnapshotOwed()
    if !machine.isSaving, now >= refusedUntilMilliseconds,
      now >= nextCheckpointAtMilliseconds || (store?.dirtyBytes ?? 0) > dirtyBytesMaximum
    {
      save()
    } else if !machine.isCommitInFlight,
      now >= nextCommitAtMilliseconds || outputBytes > context.configuration.outputBytesMaximum / 2
    {
      noteMarkers()
      let isOwed = owesCommit && machine.isReadable
      if isOwed { owesCommit = false }
      follow(isOwed || owesWatermark || nextEpoch != nil ? .outputsDue : .commitDue)
      nextCommitAtMilliseconds = now + context.configuration.commitIntervalMilliseconds
    }
    balance(now)
    publishStatus(now)
  }

  /// Reports need no more than a few pictures a second; offsets and watermarks are told after each batch.
  private func publishStatus(_ now: Int64) {
    guard now >= nextStatusAtMilliseconds else { return }
    nextStatusAtMilliseconds = now + 50
    publishStatus()
  }

  /// Commits, saves, and closes: the group takes the task back, or the process ends.
  func leave() {
    RuntimeKillPoint.pass(.revokeBeforeCommit)
    if pendingFailure == nil, machine.phase == .running { noteMarkers() }
    if pendingFailure != nil { follow(.lost) } else { follow(.revoked) }
    waitForCommitsAndCheckpoints()
    // What is not closed by now was neither running nor stopped: nothing of it is worth keeping.
    if !isClosed { follow(.lost) }
    RuntimeKillPoint.pass(.revokeAfterClose)
  }

  func hear(_ report: CommitLane.Report) {
    switch report {
    case .started: follow(.producerReady)
    case .startFailed(let error): fail(error)
    case .committed:
      RuntimeKillPoint.pass(.commitHeard)
      let now = WallClock.monotonic.nowMilliseconds
      lastCommitMilliseconds = now - commitStartedAtMilliseconds
      nextCommitAtMilliseconds = max(nextCommitAtMilliseconds, now + pauseBetweenCommits)
      giveBackBuffers()
      endTracedCommit(nil)
      restarts = 0
      noteScoring()
      follow(.commitEnded(.committed))
    case .failed(let error):
      flying = nil
      flyingPredictions = nil
      endTracedCommit(error)
      guard !error.isFencing else { return follow(.commitEnded(.fenced)) }
      logger.warning("commit is unclear: reading on from the last checkpoint", metadata: ["error": "\(error)"])
      restarts += 1
      whyNotMoving = error.description
      if restarts > 1 { backOff() }
      follow(.commitEnded(.unclear))
    }
  }

  /// Positions step over transaction markers, and so do S and C.
  func noteMarkers() {
    guard machine.phase == .running, isAssigned else { return }
    for (index, input) in inputs.enumerated() where !machine.inputs[index].isReplaying && input.archive == nil {
      do throws(HeadraceError) {
        let position = try consumer.position(of: input.partition)
        if position > machine.inputs[index].applied { follow(.applied(input: index, offset: position)) }
      } catch {
        pendingFailure = error
      }
    }
  }

  func commit(_ offsets: [Int64]) {
    commitStartedAtMilliseconds = WallClock.monotonic.nowMilliseconds
    var committed: [TopicPartition: CommittedOffset] = [:]
    goOverToNextEpoch(at: offsets)
    for (index, input) in inputs.enumerated() where !machine.inputs[index].isReplaying {
      let metadata = CommitMetadata(
        planFingerprint: context.plan.fingerprint.value, digest: input.digest, scoring: scoring(ofInput: index))
      committed[input.partition] = CommittedOffset(offset: offsets[index], metadata: metadata.text)
    }
    tracedCommit = instruments.tracer?.beginCommit(tracedBatches)
    tracedBatches = BatchLinks()
    outputs.batchTrace = tracedCommit?.header ?? []
    defer { outputs.batchTrace = [] }
    do throws(HeadraceError) {
      try drainDeltas(offsets)
      if let failure = outputs.failure { throw failure }
      guard let lane else {
        try consumer.commit(committed)
        endTracedCommit(nil)
        return follow(.commitEnded(.committed))
      }
      let buffers = outputs.take()
      flying = buffers
      tracedCommit?.sent = buffers.all.map { ($0.topic, $0.count) }
      instruments.markOutputs(bytes: buffers.sizeBytes, records: buffers.all.reduce(0) { $0 + $1.count })
      flyingPredictions = scoring?.cut()
      lane.commit(
        .init(
          outputs: buffers.all, predictions: flyingPredictions, offsets: committed,
          group: MemberProof(try consumer.groupMetadata())))
    } catch {
      logger.warning("commit failed", metadata: ["error": "\(error)"])
      whyNotMoving = error.description
      restarts += 1
      follow(.commitEnded(.unclear))
    }
  }

  /// A slow commit must not take all of the time: behind the log there is three times as long for records as for it,
  /// and where next to nothing waits, so that what is slow is the way to the brokers, as long.
  private var pauseBetweenCommits: Int64 {
    var waiting: Int64 = 0
    for (input, progress) in zip(inputs, machine.inputs) {
      waiting &+= max((input.endOffset ?? progress.applied) &- progress.applied, 0)
    }
    return (waiting > Self.bulkRecords ? 3 : 1) * (lastCommitMilliseconds ?? 0)
  }

  /// With more records in front of it a task is not about latency.
  private static let bulkRecords: Int64 = 10_000

  /// What a commit sent is filled again.
  private func giveBackBuffers() {
    if let flying { outputs.giveBack(flying) }
    flying = nil
    if let predictions = flyingPredictions?.take() {
      tracedCommit?.sent += predictions.all.map { ($0.topic, $0.count) }
      scoring?.giveBack(predictions)
    }
    flyingPredictions = nil
  }

  /// What waits for the next commit.
  private var outputBytes: Int { outputs.sizeBytes + (scoring?.heldBytes ?? 0) }

  private func endTracedCommit(_ failure: HeadraceError?) {
    if let tracedCommit { instruments.tracer?.end(tracedCommit, failure: failure) }
    tracedCommit = nil
  }

  /// Stops reading the task's inputs while its outputs or its unsaved rows are too many, and goes on when they are not.
  private func balance(_ now: Int64) {
    let isFull =
      outputBytes > context.configuration.outputBytesMaximum
      || (store?.unsavedBytes ?? 0) > 2 * dirtyBytesMaximum
    let isWaiting = waitsForSchemaUntilMilliseconds.map { $0 > now } ?? false
    if !isWaiting { waitsForSchemaUntilMilliseconds = nil }
    var isStopped = false
    if case .stopped = machine.phase { isStopped = true }
    let shallPause = isFull || isWaiting || isStopped
    guard isAssigned, shallPause != pausedForBackPressure else { return }
    do throws(HeadraceError) {
      if shallPause { try consumer.pause(partitions) } else { try consumer.resume(partitions) }
      pausedForBackPressure = shallPause
    } catch {
      pendingFailure = error
    }
  }
}
