/// A region that a definition asks for, and the features that live in it.
struct RegionNeed {
  var kind: RegionPlan.Kind
  var span: Int64
  var tails: [WindowTail] = []
  /// Positions in the definition.
  var features: [Int] = []
  private var windows: Set<Window> = []

  /// How many tiles a window may be read from, for a longer window to use the tiles of a shorter one.
  ///
  /// A second level of tiles costs one more cell to update for each event. Sharing costs reads and the memory of busy
  /// keys: a window of its own has 13 to 25 tiles. At up to 48, two windows on shared tiles hold at most twice the
  /// tiles that two levels would hold for a busy key, and fewer for the many keys with few events; a read sums a slot
  /// over 48 tiles in about 50 ns.
  static let mostSharedTiles: Int64 = 48

  init(kind: RegionPlan.Kind, span: Int64) {
    self.kind = kind
    self.span = span
  }

  func holds(_ window: Window) -> Bool { windows.contains(window) }

  var keyBytes: Int {
    switch kind {
    case .tiles, .lifetime: 8
    case .sessions: 16
    case .events: 24
    }
  }

  /// Cells that a key has when it has events all the time.
  func usualCount(lateness: Int64) -> Int {
    switch kind {
    case .lifetime: 1
    case .sessions: 2
    case .events: Int(span)
    case .tiles: Int(clamping: (tails.map { $0.length &+ $0.hop }.max() ?? 0).addingSaturating(lateness) / span + 1)
    }
  }

  /// The regions of a view: levels of tiles by length, then lifetime, sessions by gap, the last events.
  static func all(of definition: ViewDefinition) -> [RegionNeed] {
    let windows = Set(definition.features.map(\.window))
    var needs = levels(of: windows)
    if windows.contains(.lifetime) { needs.append(.init(kind: .lifetime, span: 1)) }
    var gaps: [Int64] = []
    var most = 0
    for window in windows {
      if case .session(let gap) = window { gaps.append(gap) }
      if case .lastEvents(let count) = window { most = max(most, count) }
    }
    needs += gaps.sorted().map { RegionNeed(kind: .sessions, span: $0) }
    if most > 0 { needs.append(.init(kind: .events, span: Int64(most))) }
    for index in needs.indices { needs[index].take(windows, definition) }
    return needs
  }

  /// Windows from short hops to long ones: each joins the coarsest level that it may, or opens one.
  private static func levels(of windows: Set<Window>) -> [RegionNeed] {
    let tiled = windows.compactMap { window in window.hop.map { (hop: $0, length: window.length, window: window) } }
    let ordered = tiled.sorted { ($0.hop, $0.length, $0.window.order) < ($1.hop, $1.length, $1.window.order) }
    var levels: [RegionNeed] = []
    for (hop, length, window) in ordered {
      let shared = levels.lastIndex { hop % $0.span == 0 && length / $0.span <= mostSharedTiles }
      let level = shared ?? levels.count
      if shared == nil { levels.append(.init(kind: .tiles, span: hop)) }
      levels[level].windows.insert(window)
      let tail = WindowTail(length: length, hop: hop)
      if !levels[level].tails.contains(tail) { levels[level].tails.append(tail) }
    }
    return levels
  }

  private mutating func take(_ windows: Set<Window>, _ definition: ViewDefinition) {
    for window in windows {
      switch (window, kind) {
      case (.lifetime, .lifetime), (.lastEvents, .events): self.windows.insert(window)
      case (.session(let gap), .sessions) where gap == span: self.windows.insert(window)
      default: break
      }
    }
    features = definition.features.indices.filter { holds(definition.features[$0].window) }
  }
}

extension Window {
  /// Tells a sliding and a tumbling window of equal hop and length apart.
  fileprivate var order: Int { if case .tumbling = self { 1 } else { 0 } }
}
