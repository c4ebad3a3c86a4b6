internal import Columns
internal import Core

extension LayoutPlanner {
  /// The longest list of `last_k`, `topk` and `last(n)`.
  static let longestList = 1_000
  /// The most tiles that one window may have.
  static let mostTiles: Int64 = 4_096

  func validate() throws(HeadraceError) {
    guard definition.latenessMilliseconds >= 0, definition.ttlMilliseconds ?? 1 > 0 else {
      throw HeadraceError(
        .user, "FEATURE_INVALID", "lateness must not be negative and ttl must be positive",
        place: definition.name)
    }
    for feature in definition.features {
      if let problem = problem(of: feature) {
        throw HeadraceError(
          .user, "FEATURE_INVALID", problem.message, place: "\(definition.name):\(feature.name)", remedy: problem.remedy
        )
      }
    }
  }

  private typealias Problem = (message: String, remedy: String?)

  private func problem(of feature: FeatureDefinition) -> Problem? {
    problem(ofWindow: feature.window) ?? argumentProblem(feature) ?? parameterProblem(feature)
  }

  private func problem(ofWindow window: Window) -> Problem? {
    switch window {
    case .sliding(let length, let hop):
      if length <= 0 || hop <= 0 { return ("a window's length and hop must be positive", nil) }
      if length % hop != 0 {
        let texts = (Window.durationText(hop), Window.durationText(length))
        return ("the hop \(texts.0) does not divide the window \(texts.1)", "choose a hop that divides the window")
      }
      if length / hop > Self.mostTiles {
        return ("the window has \(length / hop) hops, more than \(Self.mostTiles)", "choose a longer hop")
      }
      if length > .max / 4 { return ("the window is too long", "use `lifetime`") }
    case .tumbling(let length):
      if length <= 0 || length > .max / 4 { return ("a window's length must be positive", nil) }
    case .session(let gap):
      if gap <= 0 || gap > .max / 4 { return ("a session's gap must be positive", nil) }
      if definition.latenessMilliseconds / gap > Self.mostTiles {
        return (
          "the gap is so short that more than \(Self.mostTiles) sessions lie within the lateness", "choose a longer gap"
        )
      }
    case .lastEvents(let count):
      if !(1...Self.longestList).contains(count) { return ("last(n) keeps 1 to \(Self.longestList) events", nil) }
    case .lifetime: break
    }
    return nil
  }

  private func argumentProblem(_ feature: FeatureDefinition) -> Problem? {
    let name = feature.function.keyword
    for position in [feature.argument, feature.filter].compactMap(\.self)
    where !definition.inputs.indices.contains(position) {
      return ("input \(position) does not exist", nil)
    }
    if let filter = feature.filter, definition.inputs[filter].type != .boolean {
      return ("a filter must be boolean, and `\(definition.inputs[filter].canonicalText)` is not", nil)
    }
    let type = feature.argument.map { definition.inputs[$0].type }
    if type == nil, feature.function.argumentIsRequired {
      return ("`\(name)` needs an argument", "write `\(name)(column)`")
    }
    guard feature.function.resultType(argument: type) != nil else {
      return ("`\(name)` does not take a \(type?.description ?? "nothing")", "choose a numeric column, or cast it")
    }
    return nil
  }

  private func parameterProblem(_ feature: FeatureDefinition) -> Problem? {
    switch feature.function {
    case .lastK(let count):
      guard (1...Self.longestList).contains(count) else { return ("k must lie in 1...\(Self.longestList)", nil) }
    case .topK(let count):
      guard (1...FrequencyTable.exactLimit).contains(count) else {
        return ("k must lie in 1...\(FrequencyTable.exactLimit)", nil)
      }
    case .percentile(let fraction):
      guard fraction >= 0, fraction <= 1 else { return ("a percentile's fraction must lie in 0...1", nil) }
    case .ewma(let halfLife):
      guard halfLife > 0 else { return ("a half-life must be positive", nil) }
      return decayProblem(feature.window, halfLife)
    case .rate(let milliseconds):
      guard milliseconds > 0 else { return ("a rate's unit of time must be positive", nil) }
      guard feature.window.hop != nil else {
        return ("`rate` needs a window of known length", "use a sliding or a tumbling window")
      }
    default: break
    }
    return nil
  }

  /// Weights in a tile lie in 2^(-tile/half-life)...1 and must not vanish.
  private func decayProblem(_ window: Window, _ halfLife: Int64) -> Problem? {
    switch window {
    case .sliding, .tumbling:
      guard let hop = window.hop, hop / halfLife > 500 else { return nil }
      return (
        "a half-life this short vanishes within one hop of the window", "choose a shorter hop or a longer half-life"
      )
    case .lastEvents: return nil
    case .lifetime, .session:
      return ("`ewma` needs tiles", "use a sliding window of some half-lives: what is older weighs nothing")
    }
  }
}
