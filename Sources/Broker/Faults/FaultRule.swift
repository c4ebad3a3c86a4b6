package import Core

/// A test switch: what goes wrong with which requests.
///
/// Text form: `API:KIND[=VALUE][:every=N|:first=N]`, for example `produce:drop-response:every=7`, `fetch:delay=200`.
package struct FaultRule: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    /// The connection closes before the request is looked at.
    case dropRequest
    /// The request takes effect; the connection closes instead of answering.
    case dropResponse
    /// The request is handled this much later.
    case delay(milliseconds: Int64)
    /// The request does nothing and is answered with this error wherever its answer has one.
    case error(code: Int16)
    /// The answer tells the client to wait.
    case throttle(milliseconds: Int32)
  }

  package enum Selector: Sendable, Equatable {
    case all
    case every(Int)
    case first(Int)

    /// - Parameter ordinal: 1 for the first request of the rule's API.
    func matches(_ ordinal: Int) -> Bool {
      switch self {
      case .all: true
      case .every(let period): ordinal % period == 0
      case .first(let count): ordinal <= count
      }
    }
  }

  package var api: APIKey
  package var kind: Kind
  package var selector: Selector

  package init(parsing text: String) throws(HeadraceError) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    func refused(_ message: String) -> HeadraceError {
      HeadraceError(
        .user, "BAD_FAULT", message, place: "--fault \(text)",
        remedy:
          "write API:KIND[:every=N|:first=N]; kinds are drop-request, drop-response, delay=MS, error=CODE, throttle=MS")
    }
    guard parts.count == 2 || parts.count == 3 else { throw refused("found \(parts.count) parts, expected 2 or 3") }
    guard let api = APIKey(name: parts[0]) else { throw refused("no API is called \(parts[0])") }
    guard let kind = Kind(parsing: parts[1]) else { throw refused("no fault is called \(parts[1])") }
    guard let selector = parts.count == 2 ? .all : Selector(parsing: parts[2]) else {
      throw refused("no selector is called \(parts[2])")
    }
    self.api = api
    self.kind = kind
    self.selector = selector
  }
}

extension FaultRule.Kind {
  fileprivate init?(parsing text: String) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    let value = parts.count == 2 ? Int32(parts[1]) : nil
    switch (parts.first, value) {
    case ("drop-request", nil): self = .dropRequest
    case ("drop-response", nil): self = .dropResponse
    case ("delay", .some(let value)) where value >= 0: self = .delay(milliseconds: Int64(value))
    case ("throttle", .some(let value)) where value >= 0: self = .throttle(milliseconds: value)
    case ("error", .some(let value)):
      guard let code = Int16(exactly: value) else { return nil }
      self = .error(code: code)
    default: return nil
    }
  }
}

extension FaultRule.Selector {
  fileprivate init?(parsing text: String) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2, let count = Int(parts[1]), count > 0 else { return nil }
    switch parts[0] {
    case "every": self = .every(count)
    case "first": self = .first(count)
    default: return nil
    }
  }
}

/// Counts requests by API and says which fault, if any, is the turn of each.
struct FaultSchedule {
  private let rules: [FaultRule]
  private var seen: [Int]

  init(_ rules: [FaultRule]) {
    self.rules = rules
    seen = Array(repeating: 0, count: rules.count)
  }

  mutating func next(_ api: APIKey) -> FaultRule.Kind? {
    var due: FaultRule.Kind?
    for (index, rule) in rules.enumerated() where rule.api == api {
      seen[index] += 1
      if due == nil, rule.selector.matches(seen[index]) { due = rule.kind }
    }
    return due
  }
}
