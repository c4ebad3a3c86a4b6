internal import Core
internal import Glibc
internal import Kafka

/// Measures the log through the client library, in ratio to plain C on the same machine in the same run.
@main
struct Main {
  static func main() {
    do {
      var arguments = Arguments(Array(CommandLine.arguments.dropFirst()))
      try run(&arguments)
    } catch {
      let text = Array("headrace-benchmarks: \(error)\n".utf8)
      _ = unsafe write(STDERR_FILENO, text, text.count)
      exit(1)
    }
  }

  private static let usage = """
    usage: headrace-benchmarks produce   --bootstrap HOST:PORT [--mode plain|idempotent|transactional] [--size BYTES]
                                         [--partitions N] [--codec none|gzip|snappy|lz4|zstd] [--records N]
           headrace-benchmarks consume   --bootstrap HOST:PORT [--size BYTES] [--partitions N] [--codec C] [--records N]
                                         [--work-ns N: the closure spends so long on each record]
           headrace-benchmarks bench-all --bootstrap HOST:PORT [--records N] [--runs N] [--broker-pid PID]
    """

  private static func run(_ arguments: inout Arguments) throws {
    let command = arguments.takeCommand()
    var workload = Workload()
    let bootstrap = try arguments.required("--bootstrap")
    workload.valueBytes = try arguments.integer("--size") ?? workload.valueBytes
    workload.partitionCount = Int32(clamping: try arguments.integer("--partitions") ?? 1)
    workload.codec = try arguments.choice("--codec") ?? .none
    workload.records = try arguments.integer("--records") ?? workload.records
    switch command {
    case "produce":
      let mode: ProduceMode = try arguments.choice("--mode") ?? .idempotent
      try arguments.finish()
      print(try ProduceBenchmark(bootstrap: bootstrap, workload: workload, mode: mode).run().summary)
    case "consume":
      let nanoseconds = try arguments.integer("--work-ns") ?? 0
      try arguments.finish()
      let benchmark = try ConsumeBenchmark(bootstrap: bootstrap, workload: workload)
      print("headrace: \(try benchmark.run(workNanosecondsPerRecord: nanoseconds).summary)")
      print("C loop:   \(try benchmark.runLimit().summary)")
    case "bench-all":
      let runs = try arguments.integer("--runs") ?? 3
      let brokerProcess = try arguments.integer("--broker-pid")
      let records = workload.records
      try arguments.finish()
      try Report(bootstrap: bootstrap, records: records, runs: runs, brokerProcess: brokerProcess).run()
    default:
      throw HeadraceError(.user, "USAGE", usage)
    }
  }
}
