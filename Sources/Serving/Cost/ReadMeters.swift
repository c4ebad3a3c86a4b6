internal import Cost

/// Counts what is served, by view: a few additions for a request, none for a row.
struct ReadMeters: Sendable {
  private let meters: MeterTable
  /// By position in the catalog.
  private let views: [MeterTable.Slot]
  private let process: MeterTable.Slot

  init(_ catalog: ServingCatalog, _ meters: MeterTable) {
    self.meters = meters
    views = catalog.views.map { meters.slot(.serving, .view($0.name)) }
    process = meters.slot(.serving)
  }

  func served(_ shape: ResolvedShape, rows: Int) {
    shape.servedRows.add(Int64(rows))
    for read in shape.reads { meters.add(Int64(rows * read.features.count), .items, to: views[read.view]) }
  }

  func received(bytes: Int) { meters.add(Int64(bytes), .networkBytesIn, to: process) }
  func sent(bytes: Int) { meters.add(Int64(bytes), .networkBytesOut, to: process) }
}
