internal import Synchronization

/// Counts connections and requests, and says which to refuse.
///
/// Without this, work that nobody waits for any more piles up past the knee of the curve and the share that is
/// answered in time goes to zero (Amazon Builders' Library, "Using load shedding to avoid overload").
final class AdmissionControl: Sendable {
  let limits: ServingConfiguration.Admission
  private let census = Mutex(Census())
  private let requestCount = Atomic<Int>(0)
  private let waitingCount = Atomic<Int>(0)
  private let slowCount = Atomic<Int>(0)
  private let refusedConnectionCount = Atomic<Int>(0)

  private struct Census {
    var connections = 0
    var connectionsByAddress: [String: Int] = [:]
  }

  init(_ limits: ServingConfiguration.Admission) { self.limits = limits }

  var connections: Int { census.withLock { $0.connections } }
  var requests: Int { requestCount.load(ordering: .relaxed) }
  var waitingRequests: Int { waitingCount.load(ordering: .relaxed) }
  var slowConnections: Int { slowCount.load(ordering: .relaxed) }
  var refusedConnections: Int { refusedConnectionCount.load(ordering: .relaxed) }

  // MARK: Connections

  /// - Returns: whether one more connection from this address may stay; `closed` has to follow if so.
  func opened(address: String) -> Bool {
    let isAdmitted = census.withLock { census in
      let ofAddress = census.connectionsByAddress[address, default: 0]
      guard census.connections < limits.connections, ofAddress < limits.connectionsPerAddress else { return false }
      census.connections += 1
      census.connectionsByAddress[address] = ofAddress + 1
      return true
    }
    if !isAdmitted { refusedConnectionCount.add(1, ordering: .relaxed) }
    return isAdmitted
  }

  func closed(address: String) {
    census.withLock { census in
      census.connections -= 1
      let rest = census.connectionsByAddress[address, default: 1] - 1
      census.connectionsByAddress[address] = rest > 0 ? rest : nil
    }
  }

  func closedAsTooSlow() { slowCount.add(1, ordering: .relaxed) }

  // MARK: Requests

  func arrived() { requestCount.add(1, ordering: .relaxed) }

  func answered() { requestCount.subtract(1, ordering: .relaxed) }

  /// Called when a request's turn has come.
  ///
  /// - Parameter queuedMilliseconds: how long it waited for its turn.
  /// - Throws: when it is not to be served.
  func admit(queuedMilliseconds: Int64) throws(Problem) {
    let underWay = requests
    if underWay > limits.requests {
      throw .overloaded("\(underWay) requests are under way, \(limits.requests) may be")
    }
    if queuedMilliseconds > limits.queueMilliseconds {
      throw .overloaded("the request waited \(queuedMilliseconds) ms for its turn")
    }
  }

  /// Takes one of the places for requests that wait; `endWaiting` has to follow.
  func beginWaiting() throws(Problem) {
    let waiting = waitingCount.add(1, ordering: .relaxed).newValue
    guard waiting > limits.waitingRequests else { return }
    endWaiting()
    throw Problem(
      429, "TOO_MANY_WAITING", "\(limits.waitingRequests) requests wait already", remedy: "ask again later",
      retryAfterSeconds: 1)
  }

  func endWaiting() { waitingCount.subtract(1, ordering: .relaxed) }
}

extension Problem {
  static func overloaded(_ message: String) -> Problem {
    Problem(503, "OVERLOADED", message, remedy: "ask again later", retryAfterSeconds: 1)
  }
}
