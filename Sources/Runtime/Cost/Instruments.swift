internal import Columns
internal import Core
internal import Cost
internal import Telemetry
internal import Topology

/// What a worker measures itself by: its CPU by stages, and the spans of its batches. Belongs to the worker's thread.
final class Instruments {
  let clock: StageClock
  let meters: MeterTable
  let batchSizes: BatchSizeMeter
  let durations: BatchDurations
  /// nil: nothing is traced.
  let tracer: BatchTracer?
  private let outputs: MeterTable.Slot
  private let checkpoint: MeterTable.Slot

  init(_ account: CostAccount, tracer: BatchTracer?) {
    meters = account.meters
    batchSizes = account.batchSizes
    durations = account.durations
    clock = StageClock(meters)
    self.tracer = tracer
    outputs = meters.slot(.outputs)
    checkpoint = meters.slot(.checkpoint)
  }

  /// What a task does between batches: outputs, offsets, back pressure.
  func markTick() { clock.mark(outputs) }

  func markOutputs(bytes: Int, records: Int) {
    clock.mark(outputs, items: records)
    clock.add(bytes, .networkBytesOut, to: outputs)
  }

  func markCheckpoint(bytes: Int) {
    clock.mark(checkpoint, items: 1)
    clock.add(bytes, .diskBytesWritten, to: checkpoint)
  }
}

/// The meters of one source in one task.
struct PipelineMeters {
  let instruments: Instruments
  private let poll: MeterTable.Slot
  private let decode: MeterTable.Slot
  private let checks: MeterTable.Slot
  private let keys: MeterTable.Slot
  private let spool: MeterTable.Slot
  private let outputs: MeterTable.Slot
  /// By position in `Plan.views`.
  private let views: [MeterTable.Slot]
  /// nil: the source's events belong to one tenant.
  private let tenants: TenantTally?
  private var startNanoseconds: Int64 = 0

  init(_ instruments: Instruments, _ plan: Plan, source: SourcePlan, _ tenants: TenantMeters) {
    self.instruments = instruments
    let meters = instruments.meters
    let subject = Subject.source(source.name)
    poll = meters.slot(.poll, subject)
    decode = meters.slot(.decode, subject)
    checks = meters.slot(.checks, subject)
    keys = meters.slot(.keys, subject)
    spool = meters.slot(.spool, subject)
    outputs = meters.slot(.outputs, subject)
    views = plan.views.map { meters.slot(.views, .view($0.name)) }
    self.tenants = TenantTally(source, subject, tenants)
  }

  /// A batch begins: what was before it is the poll that brought it.
  mutating func begin() {
    instruments.clock.mark(poll)
    startNanoseconds = instruments.clock.lastNanoseconds
  }

  func decoded(_ batch: borrowing ColumnBatch, rows: Int, bytes: Int) {
    tenants?.count(batch, first: rows)
    instruments.clock.mark(decode, items: rows)
    instruments.clock.add(bytes, .networkBytesIn, to: poll)
    instruments.tracer?.decoded()
  }

  func checked() { instruments.clock.mark(checks) }
  func encodedKeys() { instruments.clock.mark(keys) }
  func spooled() { instruments.clock.mark(spool) }
  func applied(view: Int, rows: Int) { instruments.clock.mark(views[view], items: rows) }

  /// - Returns: CPU time since the batch began.
  func ended() -> Int64 {
    instruments.clock.mark(outputs)
    return instruments.clock.lastNanoseconds &- startNanoseconds
  }

  /// What a batch of this size took.
  func note(rows: Int, nanoseconds: Int64) { instruments.batchSizes.add(rows: rows, nanoseconds: nanoseconds) }
}
