internal import Core
internal import Glibc

/// Runs one target on mutated inputs and watches over it.
struct Fuzzer<Target: FuzzTarget> {
  struct Options {
    var executions = 100_000
    var seed: UInt64 = 1
    /// Inputs to start from instead of the target's own seeds.
    var corpusFolder: String?
    /// Where an input that broke something is put.
    var findingsFolder = "."
    /// 0: no limit.
    var maximumSeconds = 0
  }

  /// Larger inputs only slow down; every field that matters fits.
  private static var maximumInputBytes: Int { 64 << 10 }
  private static var maximumPoolCount: Int { 4_096 }
  private static var maximumExecutionNanoseconds: Int64 { 1_000_000_000 }
  private static var maximumGrowthBytes: Int { 64 << 20 }
  private static var executionsPerCheck: Int { 10_000 }
  /// For an execution that never ends: the process is killed, and the input stays behind.
  private static var hangSeconds: UInt32 { 60 }

  private let target = Target()
  private let options: Options
  private let mutator = Mutator(maximumBytes: maximumInputBytes)
  private var generator: SplitMix64
  private var pool: [[UInt8]] = []
  private var seen: Set<Signature> = []

  init(_ options: Options) {
    self.options = options
    generator = SplitMix64(seed: options.seed)
  }

  /// - Returns: whether no invariant broke.
  mutating func run() throws -> Bool {
    let lastPath = "\(options.findingsFolder)/fuzz-\(Target.name).last"
    if let left = LastInput.left(at: lastPath) {
      print("fuzz \(Target.name): an earlier run died; its input is in \(try save(left))")
    }
    let last = try LastInput(path: lastPath, maximumInputBytes: Self.maximumInputBytes)
    defer { last.remove() }
    let started = ProcessMeasures.nowNanoseconds()
    var executions = 0
    for input in try startingInputs() {
      guard try execute(input, last) else { return false }
      executions += 1
      pool.append(input)
    }
    guard !pool.isEmpty else { throw FuzzError("no inputs to start from") }
    let residentAtStart = ProcessMeasures.peakResidentBytes()
    while executions < options.executions {
      guard try execute(nextInput(), last) else { return false }
      executions += 1
      guard executions % Self.executionsPerCheck == 0 else { continue }
      let growth = ProcessMeasures.peakResidentBytes() - residentAtStart
      guard growth <= Self.maximumGrowthBytes else {
        print("fuzz \(Target.name): resident memory grew by \(growth >> 20) MiB in \(executions) executions")
        return false
      }
      let seconds = Int((ProcessMeasures.nowNanoseconds() - started) / 1_000_000_000)
      if options.maximumSeconds > 0 && seconds >= options.maximumSeconds { break }
    }
    report(executions, nanoseconds: ProcessMeasures.nowNanoseconds() - started)
    return true
  }

  /// Executes one input from a file, as it is.
  func replay(_ input: [UInt8]) throws(Violation) {
    _ = try target.execute(input)
  }

  /// The files of the corpus; without any, the target's own seeds.
  private func startingInputs() throws -> [[UInt8]] {
    let folder = options.corpusFolder
    let paths = folder.map { folder in Files.names(in: folder).map { "\(folder)/\($0)" } } ?? []
    guard paths.isEmpty else { return try paths.map { path throws in try Files.read(path) } }
    return try target.seeds().map(\.bytes)
  }

  private mutating func nextInput() -> [UInt8] {
    var input = pool[generator.below(pool.count)]
    mutator.mutate(&input, pool: pool, using: &generator)
    target.repair(&input, using: &generator)
    return input
  }

  private mutating func execute(_ input: [UInt8], _ last: LastInput) throws -> Bool {
    last.remember(input)
    alarm(Self.hangSeconds)
    let started = ProcessMeasures.computedNanoseconds()
    do throws(Violation) {
      let signature = try target.execute(input)
      if seen.insert(signature).inserted, pool.count < Self.maximumPoolCount, !input.isEmpty { pool.append(input) }
    } catch {
      print("fuzz \(Target.name): \(error.message); seed \(options.seed), input in \(try save(input))")
      return false
    }
    let nanoseconds = ProcessMeasures.computedNanoseconds() - started
    guard nanoseconds <= Self.maximumExecutionNanoseconds else {
      print("fuzz \(Target.name): \(nanoseconds / 1_000_000) ms for one input, in \(try save(input))")
      return false
    }
    return true
  }

  private func save(_ input: [UInt8]) throws -> String {
    var signature = Signature()
    for byte in input { signature.add(Int(byte)) }
    let path = "\(options.findingsFolder)/crash-\(Target.name)-\(String(signature.value, radix: 16))"
    try Files.write(input, to: path)
    return path
  }

  private func report(_ executions: Int, nanoseconds: Int64) {
    let perSecond = Double(executions) / max(Double(nanoseconds) / 1e9, 1e-9)
    print(
      "fuzz \(Target.name): \(Int(perSecond)) executions/s, \(seen.count) kinds of outcome, \(pool.count) inputs kept")
    print("fuzz \(Target.name): \(executions) executions, seed \(options.seed), clean")
  }
}
