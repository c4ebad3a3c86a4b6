/// The targets by name.
enum Targets {
  static let names = [
    CodecsTarget.name, FrameTarget.name, BatchTarget.name, ContractsTarget.name, ParquetTarget.name, ModelsTarget.name,
    DeltaTarget.name, ManifestTarget.name, S3Target.name,
  ]

  static func run(_ arguments: Arguments) throws -> Bool {
    switch arguments.command {
    case CodecsTarget.name: try run(CodecsTarget.self, arguments)
    case FrameTarget.name: try run(FrameTarget.self, arguments)
    case BatchTarget.name: try run(BatchTarget.self, arguments)
    case ContractsTarget.name: try run(ContractsTarget.self, arguments)
    case ParquetTarget.name: try run(ParquetTarget.self, arguments)
    case ModelsTarget.name: try run(ModelsTarget.self, arguments)
    case DeltaTarget.name: try run(DeltaTarget.self, arguments)
    case ManifestTarget.name: try run(ManifestTarget.self, arguments)
    case S3Target.name: try run(S3Target.self, arguments)
    default: throw FuzzError("unknown target \(arguments.command)\n\(Arguments.usage)")
    }
  }

  /// Writes every target's seeds as files, one folder for each target.
  static func makeCorpus(in folder: String) throws {
    try makeCorpus(CodecsTarget.self, in: folder)
    try makeCorpus(FrameTarget.self, in: folder)
    try makeCorpus(BatchTarget.self, in: folder)
    try makeCorpus(ContractsTarget.self, in: folder)
    try makeCorpus(ParquetTarget.self, in: folder)
    try makeCorpus(ModelsTarget.self, in: folder)
    try makeCorpus(DeltaTarget.self, in: folder)
    try makeCorpus(ManifestTarget.self, in: folder)
    try makeCorpus(S3Target.self, in: folder)
  }

  private static func run<Target: FuzzTarget>(_ target: Target.Type, _ arguments: Arguments) throws -> Bool {
    var options = Fuzzer<Target>.Options()
    options.executions = try arguments.number("--executions", default: options.executions)
    options.seed = try arguments.number("--seed", default: options.seed)
    options.maximumSeconds = try arguments.number("--maximum-seconds", default: options.maximumSeconds)
    options.corpusFolder = arguments.text("--corpus") ?? "Tests/Fuzz/Corpus/\(Target.name)"
    options.findingsFolder = arguments.text("--findings") ?? options.findingsFolder
    var fuzzer = Fuzzer<Target>(options)
    guard let path = arguments.text("--replay") else { return try fuzzer.run() }
    let input = try Files.read(path)
    do throws(Violation) {
      try fuzzer.replay(input)
    } catch {
      print("fuzz \(Target.name): \(error.message), input \(path)")
      return false
    }
    print("fuzz \(Target.name): \(path) passes")
    return true
  }

  private static func makeCorpus<Target: FuzzTarget>(_ target: Target.Type, in folder: String) throws {
    let path = "\(folder)/\(Target.name)"
    try Files.makeFolder(folder)
    try Files.makeFolder(path)
    let seeds = try Target().seeds()
    for seed in seeds { try Files.write(seed.bytes, to: "\(path)/\(seed.name)") }
    print("\(seeds.count) files in \(path)")
  }
}
