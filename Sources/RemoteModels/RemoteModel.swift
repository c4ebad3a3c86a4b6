package import Core
internal import HTTPClient
internal import Synchronization

/// A model behind an endpoint: rows in, scores in their order out, within a bounded time.
///
/// Tasks of one process share it, and with it the concurrency limit, the circuit breaker, the budget of repetitions and
/// the cache. Rows that get no score get a reason; nothing throws, since an endpoint that is down must not stop a task.
package final class RemoteModel: Sendable {
  package let configuration: RemoteModelConfiguration
  private let exchange: RemoteExchange
  private let client: WebClient
  private let clock: WallClock
  private let state: Mutex<EndpointState>
  private let secret: Mutex<Secret?>
  /// Batches that wait, to be woken when a call of any of them ends.
  private let waiting = Mutex<[ObjectIdentifier: Mailbox<Arrival>]>([:])

  /// What came of one request of a batch.
  private struct Arrival: Sendable {
    var part: Int
    var attempt: Int
    var outcome: BatchCall.Outcome
    var answer: RemoteAnswer?
  }

  /// - Parameter featureNames: of a row, in order.
  /// - Throws: `REMOTE_URL_INVALID`, `REMOTE_MODEL_INVALID`, `CREDENTIALS_MISSING`, `CREDENTIALS_INVALID`.
  package init(
    _ configuration: RemoteModelConfiguration, featureNames: [String], clock: WallClock = .monotonic
  ) throws(HeadraceError) {
    self.configuration = configuration
    self.clock = clock
    exchange = try RemoteExchange(configuration, featureNames: featureNames)
    let found = try configuration.credentials.map { source throws(HeadraceError) in try Secret(source) }
    secret = Mutex(found)
    state = Mutex(EndpointState(configuration))
    var limits = HTTPClientConfiguration()
    limits.deadlineMilliseconds = configuration.requestMilliseconds
    limits.attemptMilliseconds = configuration.requestMilliseconds
    limits.connectMilliseconds = min(limits.connectMilliseconds, configuration.requestMilliseconds)
    limits.responseBytesMax = configuration.answerBytesMax
    // Repetitions are decided here, where the breaker and the time of the batch are known.
    limits.attemptsMax = 1
    limits.connectionsMax = max(configuration.concurrency, 1)
    client = WebClient(limits)
  }

  /// The client below must be closed before it goes; nobody waits for that.
  deinit {
    let client = client
    Task.detached { await client.close() }
  }

  /// What can be said of a configuration before anybody calls.
  ///
  /// - Throws: `REMOTE_URL_INVALID`, `REMOTE_MODEL_INVALID`.
  package static func check(
    _ configuration: RemoteModelConfiguration, featureNames: [String]
  ) throws(HeadraceError) {
    _ = try RemoteExchange(configuration, featureNames: featureNames)
  }

  package var counters: RemoteCounters { state.withLock { $0.counters } }

  /// Scores rows. Waits on this thread, which must be none of Swift's pool, at most `batchMilliseconds`.
  ///
  /// - Parameters:
  ///   - rows: row by row; NaN is a missing value.
  ///   - scores: gets `outputCount` numbers for each row, NaN where there is none.
  ///   - failures: gets for each row why it has none, nil when it has.
  package func score(
    _ rows: [Float], rowCount: Int, into scores: inout [Double], failures: inout [RemoteFailure?]
  ) {
    let (features, outputs) = (exchange.featureCount, configuration.outputCount)
    precondition(rows.count >= rowCount * features, "a matrix of too few rows")
    scores.removeAll(keepingCapacity: true)
    scores.append(contentsOf: repeatElement(.nan, count: rowCount * outputs))
    failures.removeAll(keepingCapacity: true)
    failures.append(contentsOf: repeatElement(nil, count: rowCount))
    guard rowCount > 0 else { return }
    let missing = readCache(rows, rowCount: rowCount, into: &scores)
    guard !missing.isEmpty else { return }
    let size = configuration.rowsOfRequest
    let parts = stride(from: 0, to: missing.count, by: size).map { Array(missing[$0..<min($0 + size, missing.count)]) }
    call(parts, rows, &scores, &failures)
  }

  private func readCache(_ rows: [Float], rowCount: Int, into scores: inout [Double]) -> [Int] {
    guard configuration.cacheMilliseconds != nil else { return Array(0..<rowCount) }
    let now = clock.nowMilliseconds
    var missing: [Int] = []
    let outputs = configuration.outputCount
    state.withLock { state in
      for row in 0..<rowCount {
        guard let known = state.cache?.scores(of: key(rows, row), nowMilliseconds: now) else {
          missing.append(row)
          continue
        }
        for output in 0..<outputs { scores[row * outputs + output] = known[output] }
        state.counters.rowsFromCache += 1
      }
    }
    return missing
  }

  private func key(_ rows: [Float], _ row: Int) -> [UInt32] {
    let width = exchange.featureCount
    return rows[row * width..<(row + 1) * width].map(\.bitPattern)
  }

  private func call(
    _ parts: [[Int]], _ rows: [Float], _ scores: inout [Double], _ failures: inout [RemoteFailure?]
  ) {
    let mailbox = Mailbox<Arrival>()
    let place = ObjectIdentifier(mailbox)
    waiting.withLock { $0[place] = mailbox }
    defer { waiting.withLock { _ = $0.removeValue(forKey: place) } }
    var batch = BatchCall(
      partCount: parts.count, configuration, nowMilliseconds: clock.nowMilliseconds, seed: UInt64.random(in: 0...(.max))
    )
    while true {
      switch state.withLock({ batch.next(nowMilliseconds: clock.nowMilliseconds, &$0) }) {
      case .send(let part, let attempt): send(part, attempt, parts[part], rows, to: mailbox)
      case .wait(let until):
        for arrival in mailbox.wait(milliseconds: until - clock.nowMilliseconds) {
          take(arrival, &batch, parts, rows, &scores)
        }
      case .complete:
        for (index, part) in parts.enumerated() {
          let failure = batch.failure(ofPart: index)
          for row in part { failures[row] = failure }
        }
        let failed = failures.reduce(0) { $0 + ($1 == nil ? 0 : 1) }
        state.withLock { $0.counters.rowsFailed += Int64(failed) }
        return
      }
    }
  }

  private func send(_ part: Int, _ attempt: Int, _ rowsOfPart: [Int], _ rows: [Float], to mailbox: Mailbox<Arrival>) {
    let width = exchange.featureCount
    var matrix: [Float] = []
    matrix.reserveCapacity(rowsOfPart.count * width)
    for row in rowsOfPart { matrix += rows[row * width..<(row + 1) * width] }
    let request = exchange.request(matrix[...], rowCount: rowsOfPart.count, secret: secret.withLock { $0 })
    let rowCount = rowsOfPart.count
    Task.detached { [self] in
      let (outcome, answer) = await outcome(of: request, rowCount: rowCount)
      state.withLock { $0.callEnded() }
      mailbox.post(Arrival(part: part, attempt: attempt, outcome: outcome, answer: answer))
      // A slot is free, for whichever batch asks first.
      for other in waiting.withLock({ Array($0.values) }) where other !== mailbox { other.signal() }
    }
  }

  private func outcome(
    of request: HTTPRequest, rowCount: Int
  ) async -> (outcome: BatchCall.Outcome, answer: RemoteAnswer?) {
    do throws(HeadraceError) {
      let response = try await client.send(request)
      if response.status == 401 || response.status == 403 { renewSecret() }
      return exchange.answer(response, rowCount: rowCount)
    } catch {
      switch error.code {
      case "HTTP_TIMEOUT": return (.transient(.timeout), nil)
      case "HTTP_RESPONSE_TOO_LARGE": return (.permanent(.unusableAnswer), nil)
      default: return (.transient(.unreachable), nil)
      }
    }
  }

  /// A token that is not accepted any more may have been exchanged where it is kept.
  private func renewSecret() {
    guard let source = configuration.credentials, let renewed = try? Secret(source) else { return }
    secret.withLock { $0 = renewed }
  }

  private func take(
    _ arrival: Arrival, _ batch: inout BatchCall, _ parts: [[Int]], _ rows: [Float], _ scores: inout [Double]
  ) {
    let now = clock.nowMilliseconds
    let outputs = configuration.outputCount
    state.withLock { state in
      // It is paid for, also of an answer that nobody waits for any more.
      if let answer = arrival.answer { state.counters.use += answer.usage }
      let counts = batch.finished(
        part: arrival.part, attempt: arrival.attempt, arrival.outcome, nowMilliseconds: now, &state)
      guard counts, let answer = arrival.answer else { return }
      for (index, row) in parts[arrival.part].enumerated() {
        let found = Array(answer.scores[index * outputs..<(index + 1) * outputs])
        for output in 0..<outputs { scores[row * outputs + output] = found[output] }
        state.cache?.insert(found, of: key(rows, row), nowMilliseconds: now)
      }
      state.counters.rowsScored += Int64(parts[arrival.part].count)
    }
  }
}
