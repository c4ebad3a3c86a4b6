internal import Core
internal import OnlineStore
internal import Topology

// What other threads see of a task.

extension PartitionTask {
  func makePublication(_ store: TaskStore) {
    if let publication, publication.store === store { return }
    let publication = TaskPublication(partition: number, store: store, status: status())
    self.publication = publication
    context.board.publish(publication)
  }

  /// Offsets and watermarks, after a batch.
  func publish() {
    guard let publication else { return }
    let isReadable = machine.isReadable
    publication.update(nowMilliseconds: WallClock.monotonic.nowMilliseconds) { state in
      state.isReadable = isReadable
      if state.views.count != context.plan.views.count { set(&state) }
      for (index, input) in inputs.enumerated() where index < state.status.inputs.count {
        state.status.inputs[index].appliedOffset = machine.inputs[index].applied
        let watermark = input.watermark
        state.status.inputs[index].watermarkMilliseconds = watermark == .min ? nil : watermark
        for source in input.sources {
          for target in source.targets { set(target.storeView, source.record.watermark, in: &state) }
        }
        if let deltas = input.deltas {
          set(deltas.storeView, deltas.watermark, in: &state)
          state.reaches[deltas.storeView] = deltas.reaches
        }
      }
    }
  }

  private func set(_ storeView: Int, _ watermark: Int64, in state: inout TaskPublication.State) {
    for index in state.views.indices {
      if case .ready(storeView, _) = state.views[index] {
        state.views[index] = .ready(storeView: storeView, watermark: watermark)
      }
    }
  }

  /// Everything, between polls.
  func publishStatus() {
    guard let publication else { return }
    let status = status()
    let isReadable = machine.isReadable
    publication.update(nowMilliseconds: WallClock.monotonic.nowMilliseconds) { state in
      state.status = status
      state.isReadable = isReadable
      set(&state)
    }
  }

  private func set(_ state: inout TaskPublication.State) {
    state.fingerprints = context.plan.views.map(\.fingerprint)
    state.views = viewStates()
    state.reaches = [:]
    for deltas in inputs.lazy.compactMap(\.deltas) { state.reaches[deltas.storeView] = deltas.reaches }
  }

  private func viewStates() -> [TaskPublication.ViewState] {
    context.plan.views.enumerated().map { index, view in
      for input in inputs {
        if let deltas = input.deltas, case .deltas(index) = input.plan.role {
          return .ready(storeView: deltas.storeView, watermark: deltas.watermark)
        }
        for source in input.sources {
          if let target = source.targets.first(where: { $0.view == index }) {
            return .ready(storeView: target.storeView, watermark: source.record.watermark)
          }
        }
      }
      return .building(name: view.name)
    }
  }

  func status() -> TaskStatus {
    let phase: TaskStatus.Phase =
      switch machine.phase {
      case .new, .fencing, .reading, .closed: .starting
      case .running: machine.isReadable ? .running : .restoring
      case .stopped: .stopped
      }
    var status = TaskStatus(partition: number, phase: phase, inputs: inputStatus())
    status.dirtyBytes = store?.unsavedBytes ?? 0
    status.memoryBytes = store?.memoryBytes ?? 0
    status.memoryTableBytes = store?.memoryTableBytes ?? 0
    status.lastCheckpointAtMilliseconds = lastCheckpointAtMilliseconds
    status.lastCheckpointMilliseconds = lastCheckpointMilliseconds
    status.lastCommitMilliseconds = lastCommitMilliseconds
    if let snapshot = context.snapshots?.status(of: number) {
      status.snapshotFailure = snapshot.failure
      if let taken = snapshot.takenAtMilliseconds, let saved = lastCheckpointAtMilliseconds {
        status.snapshotLagMilliseconds = max(saved - taken, 0)
      }
    }
    status.restarts = restarts
    status.whyNotMoving = whyNotMoving ?? schemaTrouble ?? diskTrouble
    status.planFingerprint = context.plan.fingerprint
    status.bootstraps = bootstraps.map { bootstrap in
      let main = inputs.firstIndex { $0.partition == bootstrap.pipeline.partition }
      let target = main.flatMap { $0 < machine.inputs.count ? machine.inputs[$0].applied : nil }
      return BootstrapStatus(
        view: bootstrap.plan.name, appliedOffset: bootstrap.position, targetOffset: target ?? bootstrap.position)
    }
    return status
  }

  private func inputStatus() -> [InputStatus] {
    inputs.enumerated().map { index, input in
      let progress = index < machine.inputs.count ? machine.inputs[index] : nil
      return InputStatus(
        topic: input.plan.topic, appliedOffset: progress?.applied ?? 0, savedOffset: progress?.saved,
        committedOffset: progress?.committed, endOffset: input.endOffset,
        watermarkMilliseconds: input.watermark == .min ? nil : input.watermark, sources: input.sourceStatus)
    }
  }
}
