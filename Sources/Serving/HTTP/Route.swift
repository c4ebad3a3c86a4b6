internal import Hummingbird

/// Every address that the server answers, the only place where paths stand.
package enum Route: Int, CaseIterable, Sendable {
  case getOnlineFeatures, push, writeToOnlineStore, rows, health
  case views, topology, tasks, parity, models, cost, drift
  case live, ready, usefulness, metrics, openAPI, session

  package var path: String {
    switch self {
    case .getOnlineFeatures: "/get-online-features"
    case .push: "/push"
    case .writeToOnlineStore: "/write-to-online-store"
    case .rows: "/api/rows"
    case .health: "/health"
    case .views: "/api/views"
    case .topology: "/api/topology"
    case .tasks: "/api/tasks"
    case .parity: "/api/parity"
    case .models: "/api/models"
    case .cost: "/api/cost"
    case .drift: "/api/drift"
    case .usefulness: "/usefulness"
    case .live: "/livez"
    case .ready: "/readyz"
    case .metrics: "/metrics"
    case .openAPI: "/openapi.json"
    case .session: "/api/session"
    }
  }

  private static let byPath = Dictionary(uniqueKeysWithValues: allCases.map { ($0.path, $0) })

  /// - Parameter path: with whatever query.
  init?(path: String) {
    var found = Self.byPath[path]
    if found == nil, let query = path.utf8.firstIndex(of: UInt8(ascii: "?")) {
      found = Self.byPath[String(path[..<query])]
    }
    guard let found else { return nil }
    self = found
  }

  var method: HTTPRequest.Method {
    switch self {
    case .getOnlineFeatures, .push, .writeToOnlineStore, .rows: .post
    default: .get
    }
  }

  package var methodName: String { method.rawValue }

  /// Feast's clients read its errors: a JSON string, in most cases with JSON in it.
  var answersAsFeast: Bool {
    switch self {
    case .getOnlineFeatures, .push, .writeToOnlineStore, .health: true
    default: false
    }
  }

  /// Whether the address is answered however much there is to do: who asks how the server is has to be told.
  var isExemptFromAdmission: Bool {
    switch self {
    case .health, .live, .ready, .usefulness, .metrics: true
    default: false
    }
  }

  /// Whether it is answered without a login, however the server is set: probes, and what tells how to log in.
  var isOpenToAll: Bool {
    switch self {
    case .health, .live, .ready, .openAPI, .session: true
    default: false
    }
  }

  /// Whether it changes anything outside of this process.
  var writes: Bool { self == .push || self == .writeToOnlineStore }
}
