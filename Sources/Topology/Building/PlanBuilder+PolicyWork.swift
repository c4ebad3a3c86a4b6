internal import Core

// Who trains, and what asks for it.

extension PolicyTrigger {
  /// A position in the plan's monitors.
  package var monitor: Int? {
    switch self {
    case .drift(let monitor, _), .performance(let monitor, _): monitor
    case .every, .rows, .newVersion, .contractBreach, .byHand: nil
    }
  }
}

extension PlanBuilder {
  func work(_ declared: PolicyDeclaration, _ what: String) -> PolicyWork? {
    if let command = declared.command, !command.isEmpty { return .command(command) }
    if let trainer = declared.trainer {
      return .trainer(
        trainer.value,
        parameters: declared.parameters.map { TrainerParameter(name: $0.name.text, text: $0.value.text) })
    }
    guard let outside = declared.orchestrator, let kind = outside.kind, let url = outside.url,
      let place = webhook(url, secret: outside.secretVariable, "`orchestrator` of \(what)")
    else { return nil }
    if kind.value == .github, let target = outside.target,
      target.text.split(separator: "/", omittingEmptySubsequences: false).count != 2
    {
      log.error(
        at: target, "`target` in `orchestrator` of \(what) is no repository", found: "`\(target.shortText)`",
        expected: "`owner/repository`")
      return nil
    }
    if kind.value == .dagster, let target = outside.target,
      !(2...3).contains(target.text.split(separator: "/").count) || target.text.contains("//")
    {
      log.error(
        at: target, "`target` in `orchestrator` of \(what) is no job", found: "`\(target.shortText)`",
        expected: "`location/job` or `location/repository/job`")
      return nil
    }
    guard isVariable(outside.tokenVariable, "`token_env` in `orchestrator` of \(what)") else { return nil }
    return .orchestrator(
      OrchestratorPlan(
        kind: kind.value, url: place.url, target: outside.target?.text ?? "", namespace: outside.namespace?.text,
        tokenVariable: outside.tokenVariable?.text, secretVariable: place.secretVariable,
        timeoutMilliseconds: outside.timeout?.value ?? 6 * 3_600_000))
  }

  /// An address that is called. Where it leads is checked when it is called: names move.
  func webhook(_ url: YAMLScalar, secret: YAMLScalar?, _ what: String) -> WebhookPlan? {
    guard url.text.hasPrefix("https://") || url.text.hasPrefix("http://"), !url.text.contains(" ") else {
      log.error(
        at: url, "`url` in \(what) is none to call", found: "`\(url.shortText)`", expected: "https://HOST/PATH")
      return nil
    }
    if url.text.contains("@") {
      log.error(
        at: url, "`url` in \(what) has a password in it", remedy: "put it into the environment: `token_env: NAME`")
      return nil
    }
    guard isVariable(secret, "`secret_env` in \(what)") else { return nil }
    return WebhookPlan(url: url.text, secretVariable: secret?.text)
  }

  private func isVariable(_ scalar: YAMLScalar?, _ what: String) -> Bool {
    guard let scalar else { return true }
    let isName = scalar.text.utf8.allSatisfy { byte in
      (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || byte == UInt8(ascii: "_")
    }
    if isName, !scalar.text.isEmpty { return true }
    // The value itself may stand there by mistake: it is not repeated.
    log.error(
      at: scalar, "\(what) is no name of an environment variable",
      expected: "capital letters, digits and `_`: secrets never stand in a topology")
    return false
  }

  /// `drift(monitor) for 2 windows`, `performance(monitor)`, `every 7d`; several with `or` between them, or a list.
  func triggers(_ scalars: [YAMLScalar], _ what: String) -> [PolicyTrigger]? {
    var triggers: [PolicyTrigger] = []
    for scalar in scalars {
      let words = scalar.text.split { $0 == " " || $0 == "\n" }.map(String.init)
      for part in words.split(separator: "or", omittingEmptySubsequences: false) {
        guard let trigger = trigger(Array(part), scalar, what) else { return nil }
        triggers.append(trigger)
      }
    }
    return triggers
  }

  private func trigger(_ words: [String], _ scalar: YAMLScalar, _ what: String) -> PolicyTrigger? {
    if words == ["by_hand"] { return .byHand }
    if words.first == "every", let trigger = every(Array(words.dropFirst())) { return trigger }
    guard let (name, argument, rest) = Self.call(words) else { return misunderstood(scalar, what) }
    switch name {
    case "drift", "performance":
      guard let windows = Self.windows(rest) else { return misunderstood(scalar, what) }
      return monitorIndex(argument, scalar, what).map {
        name == "drift" ? .drift(monitor: $0, windows: windows) : .performance(monitor: $0, windows: windows)
      }
    case "schedule":
      guard rest.isEmpty, let trigger = every(argument.split(separator: " ").map(String.init)) else {
        return misunderstood(scalar, what)
      }
      return trigger
    case "rows":
      guard rest.count == 2, rest[0] == ">=", let count = Int64(rest[1]), count > 0 else {
        return misunderstood(scalar, what)
      }
      return sourceOrView(argument, scalar, what).map { .rows(source: $0, atLeast: count) }
    case "new_version":
      guard rest.isEmpty, !argument.isEmpty else { return misunderstood(scalar, what) }
      return .newVersion(table: argument)
    case "contract_breach":
      guard rest.count == 2, rest[0] == ">", let share = Self.share(rest[1]) else { return misunderstood(scalar, what) }
      return sourceOrView(argument, scalar, what).map { .contractBreach(source: $0, share: share) }
    default:
      let names = ["drift", "performance", "schedule", "rows", "new_version", "contract_breach", "every", "by_hand"]
      log.error(
        at: scalar, "`when` of \(what): there is no trigger `\(name)`", nearest: NearestName.of(name, in: names))
      return nil
    }
  }

  /// `7d`, `7d of wall time`, `7d of event time`.
  private func every(_ words: [String]) -> PolicyTrigger? {
    guard let period = words.first.flatMap(DurationLiteral.milliseconds), period > 0 else { return nil }
    switch Array(words.dropFirst()) {
    case [], ["of", "event", "time"]: return .every(milliseconds: period, isWallTime: false)
    case ["of", "wall", "time"]: return .every(milliseconds: period, isWallTime: true)
    default: return nil
    }
  }

  /// `name(argument) rest`.
  private static func call(_ words: [String]) -> (name: String, argument: String, rest: [String])? {
    let text = words.joined(separator: " ")
    guard let open = text.firstIndex(of: "("), let close = text.firstIndex(of: ")"), open < close else { return nil }
    let argument = text[text.index(after: open)..<close].drop { $0 == " " }
    return (
      String(text[..<open]), String(argument), text[text.index(after: close)...].split(separator: " ").map(String.init)
    )
  }

  /// `for 2 windows`; nothing is one.
  private static func windows(_ words: [String]) -> Int? {
    if words.isEmpty { return 1 }
    guard words.count == 3, words[0] == "for", ["window", "windows"].contains(words[2]), let count = Int(words[1]),
      (1...1_000).contains(count)
    else { return nil }
    return count
  }

  private static func share(_ text: String) -> Double? {
    let number = text.hasSuffix("%") ? Double(text.dropLast()).map { $0 / 100 } : Double(text)
    return number.flatMap { (0..<1).contains($0) ? $0 : nil }
  }

  private func misunderstood(_ scalar: YAMLScalar, _ what: String) -> PolicyTrigger? {
    log.error(
      at: scalar, "`when` of \(what) is not understood", found: "`\(scalar.shortText)`",
      expected: "`drift(MONITOR) for 2 windows`, `performance(MONITOR)`, `every 7d`, `every 7d of wall time`, "
        + "`rows(SOURCE) >= 1000`, `new_version(TABLE)`, `contract_breach(SOURCE) > 5%` or `by_hand`, with `or` "
        + "between several")
    return nil
  }

  private func sourceOrView(_ name: String, _ scalar: YAMLScalar, _ what: String) -> Int? {
    let names = declaration.sources.map(\.name.text)
    if let index = names.firstIndex(of: name) { return index }
    let viewNames = declaration.views.map(\.name.text)
    if let index = viewNames.firstIndex(of: name) { return views[index]?.source }
    log.error(
      at: scalar, "`when` of \(what): there is no source or view `\(name)`",
      nearest: NearestName.of(name, in: names + viewNames))
    return nil
  }

  private func monitorIndex(_ name: String, _ scalar: YAMLScalar, _ what: String) -> Int? {
    let names = declaration.monitors.map(\.name.text)
    if let index = names.firstIndex(of: name) { return index }
    log.error(
      at: scalar, "`when` of \(what): there is no monitor `\(name)`", nearest: NearestName.of(name, in: names))
    return nil
  }
}
