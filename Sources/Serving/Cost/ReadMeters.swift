internal import Cost

/// Counts what is served, by view: a few additions for a request, none for a row.
struct ReadMeters: Sendable {
  private let meters: MeterTable
  /// By position in the catalog.
  private let views: [MeterTable.Slot]
  private let process: MeterTable.Slot
  /// Of models that answer requests, by name; of later ones the process has it.
  private let models: [String: MeterTable.Slot]

  init(_ catalog: ServingCatalog, _ models: ServedModels, _ meters: MeterTable) {
    self.meters = meters
    views = catalog.views.map { meters.slot(.serving, .view($0.name)) }
    process = meters.slot(.serving)
    self.models = models.families.mapValues { meters.slot(.inference, .model($0.current.name)) }
  }

  /// Counts an inference request: its rows, and what scoring them took of the thread.
  func scored(_ model: String, rows: Int, nanoseconds: Int64) {
    let slot = models[model] ?? process
    meters.add(Int64(rows), .items, to: slot)
    meters.add(nanoseconds, .cpuNanoseconds, to: slot)
  }

  func served(_ shape: ResolvedShape, rows: Int) {
    shape.servedRows.add(Int64(rows))
    for read in shape.reads { meters.add(Int64(rows * read.features.count), .items, to: views[read.view]) }
  }

  func received(bytes: Int) { meters.add(Int64(bytes), .networkBytesIn, to: process) }
  func sent(bytes: Int) { meters.add(Int64(bytes), .networkBytesOut, to: process) }
}
