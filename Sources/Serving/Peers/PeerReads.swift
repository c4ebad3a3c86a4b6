internal import Core
internal import HTTPClient
internal import NIOCore
internal import OnlineStore
internal import Runtime

/// Asks the owners of rows for them: one request for each owner, all at the same time.
///
/// What an owner is asked for it answers from its own rows alone: a request that was sent on is never sent on again.
/// Who finds that a task has moved meanwhile says so, and the asker looks again who has it.
package final class PeerReads: Sendable {
  package struct Configuration: Sendable {
    /// How often one request looks who has the rows that it needs, while tasks move.
    package var attemptsMax = 5
    /// Before the second look; each further one waits twice as long.
    package var backoffMilliseconds: Int64 = 50
    package var connectMilliseconds: Int64 = 1_000
    /// One request to one owner.
    package var attemptMilliseconds: Int64 = 5_000
    package var connectionsMax = 32
    package var answerBytesMax = 64 << 20
    /// This worker's own, which goes with everything that it asks others for; nil: the caller's goes.
    package var token: String?

    package init() {}
  }

  /// What became of one request to one owner.
  enum Outcome: Sendable {
    case rows([PeerRow])
    /// It has them no longer, or not yet.
    case moved
    /// Nobody answered.
    case unreachable(PeerFailure)
    case failed(PeerFailure)
  }

  let configuration: Configuration
  let counters = PeerCounters()
  private let owners: any RowOwners
  private let client: WebClient

  package init(_ owners: any RowOwners, _ configuration: Configuration = Configuration()) {
    self.owners = owners
    self.configuration = configuration
    var settings = HTTPClientConfiguration()
    settings.connectMilliseconds = configuration.connectMilliseconds
    settings.attemptMilliseconds = configuration.attemptMilliseconds
    settings.deadlineMilliseconds = configuration.attemptMilliseconds
    settings.responseBytesMax = configuration.answerBytesMax
    settings.connectionsMax = configuration.connectionsMax
    // A kept connection that its peer has closed just now is worth a second try; an answer is an answer.
    settings.attemptsMax = 2
    settings.backoffMilliseconds = 4
    settings.repeatedStatuses = []
    client = WebClient(settings)
  }

  package func close() async { await client.close() }

  func owner(of partition: Int32) -> RowOwner? { owners.owner(of: partition) }

  /// What a request is sent on with.
  struct Errand: Sendable {
    var catalog: ServingCatalog
    var time: ReadTime
    /// The caller's own, for a worker that has no `Configuration.token`.
    var authorization: String?
    var deadline: NIODeadline
  }

  /// Asks for what is missing. Rows whose owner has moved stay missing.
  func fetch(_ gathered: GatheredRows, _ errand: Errand) async {
    let reads = gathered.missing
    let split = PeerSplit(reads) { owners.owner(of: $0) }
    let outcomes = await withTaskGroup(of: (call: Int, outcome: Outcome).self) { group in
      for (index, call) in split.calls.enumerated() {
        let request = Self.request(call.reads.map { reads[$0] }, errand)
        let counts = call.reads.map { reads[$0].features.count }
        group.addTask {
          (index, await self.ask(call.owner, request, errand).checked(valueCounts: counts, call.owner))
        }
      }
      var outcomes = [Outcome](repeating: .moved, count: split.calls.count)
      for await answer in group { outcomes[answer.call] = answer.outcome }
      return outcomes
    }
    for (call, outcome) in zip(split.calls, outcomes) {
      counters.add(outcome, rows: call.reads.count)
      gathered.put(settled(call, outcome, reads))
    }
  }

  /// What is known of the rows of a call now.
  private func settled(
    _ call: PeerSplit.Call, _ outcome: Outcome, _ reads: [ForeignRead]
  ) -> [(read: ForeignRead, row: Result<PeerRow, OnlineReadError>)] {
    switch outcome {
    case .rows(let rows): return zip(call.reads, rows).map { (reads[$0], .success($1)) }
    case .moved: return []
    case .failed(let failure): return call.reads.map { (reads[$0], .failure(.atOwner(failure))) }
    case .unreachable(let failure):
      // Who does not answer may have gone, and another one have its tasks by now.
      let lost = call.reads.filter { owners.owner(of: reads[$0].partition) == call.owner }
      return lost.map { (reads[$0], .failure(.atOwner(failure))) }
    }
  }

  /// Waits at their owners until records are applied.
  ///
  /// - Parameter offsets: of tasks of other processes.
  /// - Returns: those that have to be looked for again: their tasks have moved, or their owner was not given all the
  ///   time that there is.
  /// - Throws: what an owner says, or that nobody does.
  func wait(
    for offsets: [RecordOffset], until deadline: NIODeadline, _ errand: Errand
  ) async throws(OnlineReadError) -> [RecordOffset] {
    var byOwner: [(owner: RowOwner, offsets: [RecordOffset])] = []
    var again: [RecordOffset] = []
    for offset in offsets {
      guard let owner = owners.owner(of: offset.partition) else {
        again.append(offset)
        continue
      }
      if let index = byOwner.firstIndex(where: { $0.owner == owner }) {
        byOwner[index].offsets.append(offset)
      } else {
        byOwner.append((owner, [offset]))
      }
    }
    let milliseconds = waitMilliseconds(until: deadline, errand)
    let outcomes = await withTaskGroup(of: (call: Int, outcome: Outcome).self) { group in
      for (index, call) in byOwner.enumerated() {
        let request = RowsRequest(
          topology: errand.catalog.name, time: errand.time, offsets: call.offsets, waitMilliseconds: milliseconds)
        group.addTask { (index, await self.ask(call.owner, request, errand)) }
      }
      var outcomes = [Outcome](repeating: .moved, count: byOwner.count)
      for await answer in group { outcomes[answer.call] = answer.outcome }
      return outcomes
    }
    for (call, outcome) in zip(byOwner, outcomes) {
      counters.add(outcome, rows: 0)
      switch outcome {
      case .rows: continue
      case .moved: again += call.offsets
      case .failed(let failure) where failure.code == Problem.notYetApplied && hasTimeToAsk(until: deadline, errand):
        again += call.offsets
      case .unreachable(let failure), .failed(let failure): throw .atOwner(failure)
      }
    }
    return again
  }

  /// How long an owner may wait before it answers: less than its asker does, who would hear nothing else.
  private func waitMilliseconds(until deadline: NIODeadline, _ errand: Errand) -> Int64 {
    let answered = min(Self.milliseconds(until: errand.deadline), configuration.attemptMilliseconds)
    return max(min(Self.milliseconds(until: deadline), answered - Self.answerMilliseconds), 0)
  }

  /// Whether there is time for another question that waits.
  private func hasTimeToAsk(until deadline: NIODeadline, _ errand: Errand) -> Bool {
    waitMilliseconds(until: deadline, errand) > Self.answerMilliseconds
  }

  /// For the way of an answer.
  private static let answerMilliseconds: Int64 = 250

  private static func milliseconds(until deadline: NIODeadline) -> Int64 {
    (deadline - NIODeadline.now()).nanoseconds / 1_000_000
  }

  private static func request(_ reads: [ForeignRead], _ errand: Errand) -> RowsRequest {
    struct Columns: Hashable {
      var view: Int
      var features: [Int]
    }
    var request = RowsRequest(topology: errand.catalog.name, time: errand.time)
    var known: [Columns: Int] = [:]
    for read in reads {
      let columns = Columns(view: read.view, features: read.features)
      let position: Int
      if let found = known[columns] {
        position = found
      } else {
        let view = errand.catalog.views[read.view]
        position = request.views.count
        known[columns] = position
        request.views.append(
          RowsRequest.View(
            name: view.name, fingerprint: view.fingerprint, features: read.features.map { view.features[$0].name }))
      }
      request.rows.append(RowsRequest.Row(view: position, key: read.key.bytes))
    }
    return request
  }

  /// What a question goes to another worker with: this worker's own token where it has one. An address may be stale,
  /// and somebody else answer there by now: what he gets must be worth no more than rows, and a caller may be one who
  /// approves.
  func authorization(for errand: Errand) -> String? {
    configuration.token.map { "Bearer \($0)" } ?? errand.authorization
  }

  private func ask(_ owner: RowOwner, _ request: RowsRequest, _ errand: Errand) async -> Outcome {
    let left = Self.milliseconds(until: errand.deadline)
    var headers = [("content-type", "application/octet-stream")]
    if let authorization = authorization(for: errand) { headers.append(("authorization", authorization)) }
    let outgoing = HTTPRequest(
      "POST", "http://\(owner.address)\(Route.rows.path)", headers: headers, body: request.encoded, isRepeatable: true)
    do throws(HeadraceError) {
      let response = try await client.send(outgoing, deadlineMilliseconds: max(left, 1))
      guard response.status == 200 else { return Self.outcome(of: response, owner) }
      return .rows(try RowsAnswer(response.body).rows)
    } catch {
      guard error.domain == .external else {
        return .failed(Self.notUnderstood(owner, error.message))
      }
      return .unreachable(
        PeerFailure(
          503, "OWNER_UNREACHABLE",
          "its task is at \(owner.address) (instance \(owner.instance)), which does not answer: \(error.message)",
          remedy: "ask again later: when the group has given that worker up, another one has the task",
          retryAfterSeconds: 1))
    }
  }

  private static func outcome(of response: HTTPResponse, _ owner: RowOwner) -> Outcome {
    guard response.status != 421 else { return .moved }
    let problem = try? JSONDocument(response.body, depthMax: 8)
    guard let problem, let code = problem["code"]?.string, (400...599).contains(response.status) else {
      return .failed(notUnderstood(owner, "status \(response.status)"))
    }
    return .failed(
      PeerFailure(
        response.status, code, "\(problem["detail"]?.string ?? code) (at \(owner.address))",
        remedy: problem["remedy"]?.string, retryAfterSeconds: response.header("retry-after").flatMap { Int($0) }))
  }

  fileprivate static func notUnderstood(_ owner: RowOwner, _ why: String) -> PeerFailure {
    PeerFailure(
      502, "OWNER_NOT_UNDERSTOOD", "\(owner.address) gave no answer that can be read: \(why)",
      remedy: "check that all workers of the topology run the same version of Headrace")
  }
}

extension PeerReads.Outcome {
  /// An answer with too few rows or values must not shift those of others.
  fileprivate func checked(valueCounts: [Int], _ owner: RowOwner) -> Self {
    guard case .rows(let rows) = self else { return self }
    guard rows.map(\.values.count) == valueCounts else {
      return .failed(PeerReads.notUnderstood(owner, "\(rows.count) rows for \(valueCounts.count)"))
    }
    return self
  }
}

/// What became of requests that were sent on.
final class PeerCounters: Sendable {
  let answered = Counter()
  let moved = Counter()
  let unreachable = Counter()
  let failed = Counter()
  /// That owners gave.
  let rows = Counter()

  func add(_ outcome: PeerReads.Outcome, rows count: Int) {
    switch outcome {
    case .rows:
      answered.add()
      rows.add(Int64(count))
    case .moved: moved.add()
    case .unreachable: unreachable.add()
    case .failed: failed.add()
    }
  }
}
