extension ViewLayout: CustomStringConvertible {
  /// How the view keeps its state, a line for each kind of cell: for `plan`.
  package var description: String {
    regions.indices.map { describe($0) }.joined(separator: "\n")
  }

  private func describe(_ index: Int) -> String {
    let region = regions[index]
    let windows = Set(features.filter { $0.region == index }.map(\.window))
    let names = windows.sorted { ($0.length, $0.canonicalText) < ($1.length, $1.canonicalText) }.map { window in
      if case .sliding(let length, _) = window { Window.durationText(length) } else { window.canonicalText }
    }
    let size = "\(region.usualCount) × \(region.cellBytes) B"
    let blocks = blockEstimate(region)
    let total = blocks > 0 ? "\(size), about \(blocks) B more each" : size
    return switch region.kind {
    case .tiles: "tiles of \(Window.durationText(region.span)): \(total) for \(names.joined(separator: ", "))"
    case .lifetime: "one tile for all time: \(total)"
    case .sessions: "sessions with gaps up to \(Window.durationText(region.span)): \(total)"
    case .events: "the newest events: \(total)"
    }
  }

  /// The bytes of the row of a key that has events all the time: every tile of every window. Keys with fewer events
  /// have fewer tiles; a key with one event has `leastStateBytesPerKey`.
  package var stateBytesPerKey: Int {
    regions.reduce(headerBytes) { $0 + $1.usualCount * ($1.cellBytes + blockEstimate($1)) }
  }

  /// The bytes of the row of a key with one event.
  package var leastStateBytesPerKey: Int {
    regions.reduce(headerBytes) { $0 + $1.cellBytes + min(blockEstimate($1), 64) }
  }

  private var headerBytes: Int { FeatureRow.headerBytes(regionCount: regions.count) }

  /// What the blocks of a cell usually take: the content of lists and sketches depends on the events.
  private func blockEstimate(_ region: RegionPlan) -> Int {
    region.groups.flatMap { groups[$0].slots }.reduce(0) { $0 + slots[$1].usualBlockBytes }
  }
}

extension SlotPlan {
  fileprivate var usualBlockBytes: Int {
    let header = FeatureRow.blockHeaderBytes
    switch kind {
    case .minimumText, .maximumText, .firstText, .lastText: return header + 16
    case .lastK: return header + Int(parameter) * (PositionedSlot.entryBytes(representation) + textBytes)
    case .distinct: return header + 32 * 8
    case .quantiles: return header + 64 * 8
    case .frequencies:
      return header + FrequencyTable.headerBytes + 16 * (FrequencyTable.entryBytes(representation) + textBytes)
    default: return 0
    }
  }

  private var textBytes: Int { representation == .text ? FeatureRow.blockHeaderBytes + 16 : 0 }
}
