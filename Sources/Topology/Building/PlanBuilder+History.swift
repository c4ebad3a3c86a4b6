internal import Features

extension PlanBuilder {
  /// Whether the history that a view asks for can be kept; what speaks against it is reported.
  func checkHistory(_ view: ViewPlan, _ entity: EntityPlan, at scalar: YAMLScalar) -> Bool {
    switch view.history {
    case .off: return true
    case .updates:
      guard !view.isRepartitioned else {
        log.error(
          at: scalar, "view `\(view.name)` is repartitioned: its rows come added up, and not event by event",
          found: "`updates`", expected: "`tiles` or `off`",
          remedy: "write `history: tiles`, or partition the topic by \(entity.keys.joined(separator: ", "))")
        return false
      }
    case .tiles:
      let others = view.layout.featuresWithoutTiles
      guard others.isEmpty else {
        log.error(
          at: scalar,
          "`history: tiles` of view `\(view.name)`: "
            + "what \(Self.list(others)) was when a tile ended is not kept",
          found: "features over `lifetime`, `session` or `last`", expected: "sliding and tumbling windows",
          remedy: view.isRepartitioned
            ? "move them into a view of their own" : "write `history: updates`, or move them into a view of their own")
        return false
      }
    }
    return checkHistoryColumns(view, entity, at: scalar)
  }

  /// Tables tell columns apart whatever the case of their letters.
  private func checkHistoryColumns(_ view: ViewPlan, _ entity: EntityPlan, at scalar: YAMLScalar) -> Bool {
    var names: Set<String> = Set(ViewPlan.historyColumns)
    for name in entity.keys + view.features.map(\.name) {
      guard names.insert(name.lowercased()).inserted else {
        log.error(
          at: scalar, "the history of view `\(view.name)` would have two columns `\(name)`",
          remedy: "give the feature, or the join key, another name")
        return false
      }
    }
    return true
  }
}

extension ViewPlan {
  /// Columns that every history has beside join keys and features.
  static let historyColumns = [
    "event_time", "_status", "_exact", "_revision", "_known_at", "_topic", "_partition", "_offset",
  ]

  /// Where the history goes, below the tables' root.
  package var historyTable: String { "features/\(name)" }

  /// What it costs, in words; nil without a history.
  package var historyCost: String? {
    let columns = "\(features.count) values"
    switch history {
    case .off: return nil
    case .updates: return "a row of \(columns) for each event, read as it is applied"
    case .tiles:
      guard let span = layout.finestTileMilliseconds else { return nil }
      return "a row of \(columns) for each key with events in \(DurationLiteral.text(span)) of event time, one more "
        + "when events came after their time; the state also keeps the keys of the last "
        + DurationLiteral.text(span &+ latenessMilliseconds)
    }
  }
}
