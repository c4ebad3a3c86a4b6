internal import Core
internal import NIOCore
internal import Runtime
internal import Storage

extension FeatureServer {
  /// Answers over rows of this process and of others: what is not here is put off and asked for, and `read` begins
  /// again, until everything is there.
  ///
  /// - Parameters:
  ///   - problem: why an answer over the rows of this process alone failed; thrown again when others cannot help.
  ///   - read: reads everything from the source that it is given. May be called several times.
  func gather<Answer: Sendable>(
    after problem: Problem, _ offer: Offer, _ errand: PeerReads.Errand,
    _ read: @Sendable (any OnlineFeatureSource) throws(Problem) -> Answer
  ) async throws(Problem) -> Answer {
    guard let peers, problem.isPutOff else { throw problem }
    return try await withTaskExecutorPreference(globalConcurrentExecutor) { () async throws(Problem) in
      try await gather(peers, GatheredRows(offer.features), errand, read)
    }
  }

  private func gather<Answer: Sendable>(
    _ peers: PeerReads, _ gathered: GatheredRows, _ errand: PeerReads.Errand,
    _ read: @Sendable (any OnlineFeatureSource) throws(Problem) -> Answer
  ) async throws(Problem) -> Answer {
    var attempt = 0
    while true {
      do throws(Problem) {
        gathered.begin()
        return try read(gathered)
      } catch {
        guard error.isPutOff else { throw error }
      }
      guard attempt < peers.configuration.attemptsMax, await pause(peers, attempt, errand.deadline) else {
        throw .ownersMove
      }
      attempt += 1
      await peers.fetch(gathered, errand)
    }
  }

  /// Before the second look and each further one.
  ///
  /// - Returns: false when nobody waits for the answer any more.
  private func pause(_ peers: PeerReads, _ attempt: Int, _ deadline: NIODeadline) async -> Bool {
    guard attempt > 0 else { return true }
    let pause = peers.configuration.backoffMilliseconds << Int64(min(attempt - 1, 10))
    guard NIODeadline.now() + .milliseconds(pause) < deadline else { return false }
    return (try? await Task.sleep(for: .milliseconds(pause))) != nil
  }

  /// Waits until records are applied, here or where their tasks are, which is looked for again while tasks move.
  func wait(
    for offsets: [RecordOffset], milliseconds: Int64, _ features: any OnlineFeatureSource, _ errand: PeerReads.Errand
  ) async throws(OnlineReadError) {
    guard let peers else { return try await features.wait(for: offsets, milliseconds: milliseconds) }
    let deadline = min(NIODeadline.now() + .milliseconds(milliseconds), errand.deadline)
    var left: Int64 { max((deadline - NIODeadline.now()).nanoseconds / 1_000_000, 0) }
    var waiting = offsets
    var attempt = 0
    while true {
      let here = waiting.filter { features.isHere($0.partition) }
      let elsewhere = waiting.filter { !here.contains($0) && peers.owner(of: $0.partition) != nil }
      let nowhere = waiting.filter { !here.contains($0) && !elsewhere.contains($0) }
      if !here.isEmpty { try await features.wait(for: here, milliseconds: left) }
      waiting = []
      if !elsewhere.isEmpty { waiting = try await peers.wait(for: elsewhere, until: deadline, errand) }
      if !nowhere.isEmpty {
        do throws(OnlineReadError) {
          // They may come here, or to somebody who says so meanwhile.
          try await features.wait(for: nowhere, milliseconds: min(left, Self.lookMilliseconds))
        } catch {
          guard error == .waitTimedOut else { throw error }
          waiting += nowhere
        }
      }
      guard !waiting.isEmpty else { return }
      attempt += 1
      guard await pause(peers, min(attempt, Self.slowestAttempt), deadline) else { throw .waitTimedOut }
    }
  }

  /// How long a task that nobody has is waited for before its owner is looked for again.
  private static var lookMilliseconds: Int64 { 200 }
  /// From here on each further look comes as long behind the one before it.
  private static var slowestAttempt: Int { 4 }
}

/// The same for a thread that may block: requests that come through topics, a batch at a time.
extension FeatureServer {
  /// Requests that are answered together, from one plan, and whose missing rows are asked for together.
  struct Round {
    let offer: Offer
    /// nil where nobody else can be asked.
    let gathered: GatheredRows?
  }

  func beginRound() -> Round {
    let offer = offer
    return Round(offer: offer, gathered: peers.map { _ in GatheredRows(offer.features) })
  }

  /// Asks the owners of what requests have put off. Waits on this thread, which must be none of Swift's pool.
  ///
  /// - Parameter attempt: counts from 0; later ones wait before they ask.
  /// - Returns: false when there were attempts enough.
  func fetch(_ gathered: GatheredRows, of offer: Offer, attempt: Int) -> Bool {
    guard let peers, attempt < peers.configuration.attemptsMax else { return false }
    let errand = PeerReads.Errand(
      catalog: offer.catalog, time: .now, authorization: nil,
      deadline: NIODeadline.now() + .milliseconds(configuration.admission.deadlineMilliseconds))
    let isFetched = try? BlockingCall.result { () async throws(HeadraceError) in
      guard await self.pause(peers, attempt, errand.deadline) else { return false }
      await peers.fetch(gathered, errand)
      return true
    }
    return isFetched ?? false
  }
}
