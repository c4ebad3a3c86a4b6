/// What a process, or several of them, used in a span of time.
///
/// The CPU of all lines together is the CPU of the process: what belongs to nobody has lines of its own
/// (`housekeeping`, `unattributed`).
package struct UsageReport: Sendable, Equatable {
  package struct Line: Sendable, Equatable {
    package var operation: Operator
    package var subject: Subject
    /// Of a remote model, as price lists of tokens name it.
    package var model: String?
    package var amounts: Amounts

    package init(_ operation: Operator, _ subject: Subject, model: String? = nil, _ amounts: Amounts) {
      self.operation = operation
      self.subject = subject
      self.model = model
      self.amounts = amounts
    }
  }

  /// Bytes that are held.
  package struct Holding: Sendable, Equatable {
    package enum Medium: String, CaseIterable, Sendable { case memory, disk, objects }

    package var medium: Medium
    /// What for: state, spool, tables, models, rows, block_cache…
    package var part: String
    package var subject: Subject
    package var bytes: Int64
    package var byteMilliseconds: Double

    package init(_ medium: Medium, _ part: String, _ subject: Subject, bytes: Int64, byteMilliseconds: Double) {
      self.medium = medium
      self.part = part
      self.subject = subject
      self.bytes = bytes
      self.byteMilliseconds = byteMilliseconds
    }
  }

  package var topology: String
  package var process: String
  package var fromMilliseconds: Int64
  package var toMilliseconds: Int64
  /// Cores that the process may use: what is paid for whether it is used or not.
  package var cores: Double
  /// Of the process as the system counts it.
  package var processCPUNanoseconds: Int64
  package var lines: [Line]
  package var holdings: [Holding]
  package var tenants = TenantUse()

  package init(
    topology: String, process: String, fromMilliseconds: Int64, toMilliseconds: Int64, cores: Double,
    processCPUNanoseconds: Int64, lines: [Line] = [], holdings: [Holding] = []
  ) {
    self.topology = topology
    self.process = process
    self.fromMilliseconds = fromMilliseconds
    self.toMilliseconds = toMilliseconds
    self.cores = cores
    self.processCPUNanoseconds = processCPUNanoseconds
    self.lines = lines
    self.holdings = holdings
  }
}

extension UsageReport {
  package var milliseconds: Int64 { max(toMilliseconds &- fromMilliseconds, 0) }
  package var attributedCPUNanoseconds: Int64 {
    lines.reduce(0) { $0 &+ ($1.operation == .unattributed ? 0 : $1.amounts[.cpuNanoseconds]) }
  }
  /// Of the process's CPU, between 0 and 1.
  package var unattributedShare: Double {
    guard processCPUNanoseconds > 0 else { return 0 }
    return Double(max(processCPUNanoseconds &- attributedCPUNanoseconds, 0)) / Double(processCPUNanoseconds)
  }
  /// Of the cores' time, between 0 and 1.
  package var idleShare: Double {
    let capacity = cores * Double(milliseconds) * 1e6
    guard capacity > 0 else { return 0 }
    return min(max(1 - Double(processCPUNanoseconds) / capacity, 0), 1)
  }

  package func total(_ resource: Resource, where isWanted: (Line) -> Bool = { _ in true }) -> Int64 {
    lines.reduce(0) { $0 &+ (isWanted($1) ? $1.amounts[resource] : 0) }
  }

  /// Events that were read.
  package var events: Int64 { total(.items) { $0.operation == .decode } }
  /// Values of features that were served.
  package var featureReads: Int64 { total(.items) { $0.operation == .serving && $0.subject.kind == .view } }
  package var predictions: Int64 {
    total(.items) { [.models, .remoteModels, .inference].contains($0.operation) }
  }

  /// Puts the stages that were measured and the threads that they ran on together.
  ///
  /// Stages are parts of their threads; what a thread did between its stages, and threads without any, have lines of
  /// their own. What ran on no thread that was seen is `unattributed`: the sum is the process.
  ///
  /// - Parameter threads: CPU nanoseconds of threads by operator, workers as a whole under `.poll`.
  package mutating func account(_ readings: [MeterTable.Reading], threads: [Operator: Int64]) {
    lines = readings.map { Line($0.operation, $0.subject, model: $0.model, $0.amounts) }
    var rest = threads
    for reading in readings {
      let thread = Self.thread(of: reading.operation)
      rest[thread, default: 0] &-= reading.amounts[.cpuNanoseconds]
    }
    for (operation, nanoseconds) in rest where nanoseconds > 0 { add(nanoseconds, to: operation) }
    add(max(processCPUNanoseconds &- total(.cpuNanoseconds), 0), to: .unattributed)
    lines.sort { ($0.operation.order, $0.subject, $0.model ?? "") < ($1.operation.order, $1.subject, $1.model ?? "") }
  }

  /// Which thread a measured stage is a part of.
  private static func thread(of operation: Operator) -> Operator {
    switch operation {
    case .poll, .decode, .checks, .keys, .views, .models, .outputs, .spool, .checkpoint: .poll
    case .inference: .serving
    default: operation
    }
  }

  private mutating func add(_ nanoseconds: Int64, to operation: Operator) {
    if let index = lines.firstIndex(where: { $0.operation == operation && $0.subject == .process && $0.model == nil }) {
      lines[index].amounts[.cpuNanoseconds] &+= nanoseconds
    } else {
      var amounts = Amounts()
      amounts[.cpuNanoseconds] = nanoseconds
      lines.append(Line(operation, .process, amounts))
    }
  }

  /// The same of another span or another process: cores and times are those of both together.
  package mutating func merge(_ other: UsageReport) {
    let capacity = cores * Double(milliseconds) + other.cores * Double(other.milliseconds)
    fromMilliseconds = min(fromMilliseconds, other.fromMilliseconds)
    toMilliseconds = max(toMilliseconds, other.toMilliseconds)
    cores = milliseconds > 0 ? capacity / Double(milliseconds) : max(cores, other.cores)
    processCPUNanoseconds &+= other.processCPUNanoseconds
    for line in other.lines {
      if let index = lines.firstIndex(where: {
        $0.operation == line.operation && $0.subject == line.subject && $0.model == line.model
      }) {
        lines[index].amounts += line.amounts
      } else {
        lines.append(line)
      }
    }
    for holding in other.holdings {
      if let index = holdings.firstIndex(where: {
        $0.medium == holding.medium && $0.part == holding.part && $0.subject == holding.subject
      }) {
        // The newest says how much is held; time adds up.
        if other.toMilliseconds >= toMilliseconds { holdings[index].bytes = holding.bytes }
        holdings[index].byteMilliseconds += holding.byteMilliseconds
      } else {
        holdings.append(holding)
      }
    }
    tenants.merge(other.tenants)
  }

  /// What was used since an earlier report of the same process.
  package func since(_ earlier: UsageReport) -> UsageReport {
    var difference = self
    difference.fromMilliseconds = earlier.toMilliseconds
    difference.processCPUNanoseconds = processCPUNanoseconds &- earlier.processCPUNanoseconds
    difference.lines = lines.map { line in
      var line = line
      if let before = earlier.lines.first(where: {
        $0.operation == line.operation && $0.subject == line.subject && $0.model == line.model
      }) {
        line.amounts = line.amounts - before.amounts
      }
      return line
    }
    difference.lines.removeAll(where: \.amounts.isZero)
    difference.holdings = holdings.map { holding in
      var holding = holding
      if let before = earlier.holdings.first(where: {
        $0.medium == holding.medium && $0.part == holding.part && $0.subject == holding.subject
      }) {
        holding.byteMilliseconds -= before.byteMilliseconds
      }
      return holding
    }
    difference.tenants = tenants.since(earlier.tenants)
    return difference
  }
}

extension Operator {
  /// In which reports list them.
  package var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
