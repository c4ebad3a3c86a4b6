// The finest tiles of a view: by which its history is cut.

extension ViewLayout {
  /// The length of the view's shortest tiles, milliseconds; nil when none of its windows has tiles.
  package var finestTileMilliseconds: Int64? { finestRegion.map { regions[$0].span } }

  private var finestRegion: Int? {
    regions.indices.filter { regions[$0].kind == .tiles }.min { regions[$0].span < regions[$1].span }
  }

  /// Names of features that have no tiles: what they were at an earlier time is not kept.
  package var featuresWithoutTiles: [String] {
    zip(definition.features, features).filter { regions[$1.region].kind != .tiles }.map(\.0.name)
  }

  /// Calls `body` with the start of each of the view's shortest tiles that a row has.
  package func forEachFinestTile(of row: borrowing FeatureRow, _ body: (_ start: Int64) -> Void) {
    guard let region = finestRegion else { return }
    for position in 0..<row.cellCount(region) {
      body(row.load(row.regionStart(region) + position * regions[region].cellBytes, as: Int64.self))
    }
  }
}
