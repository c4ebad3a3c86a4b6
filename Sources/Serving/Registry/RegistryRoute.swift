internal import Registry

/// The addresses of the registry: one model, runs, retrainings, approvals.
enum RegistryRoute: Equatable {
  /// `selector`: the number of a version, or an alias; nil: all versions.
  case model(String, selector: String?)
  case registeredModels
  /// nil: all.
  case runs(experiment: String?)
  case run(String)
  case retrainings
  case retraining(String)
  /// A page for people.
  case evidence(String)
  /// Where an orchestrator outside brings its model.
  case result(String)
  case approvals
  case approval(String)
  case decide(String, ApprovalVerdict)
  case promote(String, alias: String)
  case rollback(String, alias: String)

  /// - Parameter path: with whatever query; nil for what is no address of the registry.
  init?(path: String) {
    let parts = path.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(
      String.init)
    guard parts.first == "api" else { return nil }
    switch Array(parts.dropFirst()) {
    case ["registry", "models"]: self = .registeredModels
    case let rest where rest.count == 2 && rest[0] == "models": self = .model(rest[1], selector: nil)
    case let rest where rest.count == 4 && rest[0] == "models" && rest[2] == "versions":
      self = .model(rest[1], selector: rest[3])
    case let rest where rest.count == 5 && rest[0] == "models" && rest[2] == "aliases" && rest[4] == "promote":
      self = .promote(rest[1], alias: rest[3])
    case let rest where rest.count == 5 && rest[0] == "models" && rest[2] == "aliases" && rest[4] == "rollback":
      self = .rollback(rest[1], alias: rest[3])
    case ["runs"]: self = .runs(experiment: Self.query("experiment", of: path))
    case let rest where rest.count == 2 && rest[0] == "runs": self = .run(rest[1])
    case ["retrainings"]: self = .retrainings
    case let rest where rest.count == 2 && rest[0] == "retrainings": self = .retraining(rest[1])
    case let rest where rest.count == 3 && rest[0] == "retrainings" && rest[2] == "evidence":
      self = .evidence(rest[1])
    case let rest where rest.count == 3 && rest[0] == "retrainings" && rest[2] == "result":
      self = .result(rest[1])
    case ["approvals"]: self = .approvals
    case let rest where rest.count == 2 && rest[0] == "approvals": self = .approval(rest[1])
    case let rest where rest.count == 3 && rest[0] == "approvals" && rest[2] == "approve":
      self = .decide(rest[1], .approved)
    case let rest where rest.count == 3 && rest[0] == "approvals" && rest[2] == "reject":
      self = .decide(rest[1], .rejected)
    default: return nil
    }
  }

  var isPost: Bool {
    switch self {
    case .decide, .result, .promote, .rollback: true
    default: false
    }
  }

  /// Every address, with names for what differs.
  static let templates: [(path: String, isPost: Bool)] = [
    ("/api/registry/models", false), ("/api/models/{model}", false), ("/api/models/{model}/versions/{version}", false),
    ("/api/models/{model}/aliases/{alias}/promote", true), ("/api/models/{model}/aliases/{alias}/rollback", true),
    ("/api/runs", false), ("/api/runs/{run}", false), ("/api/retrainings", false),
    ("/api/retrainings/{retraining}", false), ("/api/retrainings/{retraining}/evidence", false),
    ("/api/retrainings/{retraining}/result", true), ("/api/approvals", false), ("/api/approvals/{approval}", false),
    ("/api/approvals/{approval}/approve", true), ("/api/approvals/{approval}/reject", true),
  ]

  /// The value of a query; names of the registry have no characters that would have to be escaped.
  private static func query(_ name: String, of path: String) -> String? {
    guard let start = path.firstIndex(of: "?") else { return nil }
    let pairs = path[path.index(after: start)...].split(separator: "&")
    return pairs.last { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
  }
}
