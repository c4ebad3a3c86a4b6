/// The layers of the system, those that are still to come included. Arrows go down only.
///
/// ARCHITECTURE.md draws this table; think hard before changing it.
struct Layer {
  var level: Int
  var module: String
  /// Which modules of ours it may import.
  var imports: [String]
  /// Which packages and system libraries it may import besides those that everybody may.
  var libraries: [String] = []

  /// Part of the toolchain and free of Foundation.
  static let everybody: Set = ["Glibc", "Musl", "Synchronization", "Swift"]

  static let table: [Layer] = [
    .init(level: 0, module: "Core", imports: ["CAllocator"]),

    .init(level: 1, module: "Columns", imports: ["Core"]),
    .init(level: 1, module: "Codecs", imports: ["Core", "CCodecs"]),
    .init(level: 1, module: "HTTPClient", imports: ["Core"], libraries: ["AsyncHTTPClient", "NIOCore", "NIOHTTP1"]),

    .init(level: 2, module: "Storage", imports: ["Core", "HTTPClient"], libraries: ["Crypto"]),
    .init(level: 2, module: "Kafka", imports: ["Core", "CRDKafka"]),
    .init(level: 2, module: "Rocks", imports: ["Core", "CRocksDB"]),
    .init(level: 2, module: "Contracts", imports: ["Core", "Columns", "HTTPClient", "CSimdjson"]),
    .init(level: 2, module: "Parquet", imports: ["Core", "Columns", "Codecs"]),
    .init(level: 2, module: "Expressions", imports: ["Core", "Columns"]),
    .init(
      level: 2, module: "Broker", imports: ["Core", "Codecs", "CBroker"],
      libraries: ["NIOCore", "NIOPosix", "NIOSSL", "Logging", "FoundationEssentials"]),

    .init(level: 3, module: "Features", imports: ["Core", "Columns", "Expressions"]),
    .init(level: 3, module: "Delta", imports: ["Core", "Columns", "Storage", "Parquet"]),
    .init(level: 3, module: "Inference", imports: ["Core", "Columns", "CKernels"]),
    .init(level: 3, module: "RemoteModels", imports: ["Core", "HTTPClient"]),
    .init(level: 3, module: "Drift", imports: ["Core", "Columns", "CDrift"]),
    .init(level: 3, module: "Cost", imports: ["Core"]),
    .init(level: 3, module: "Telemetry", imports: ["Core"]),
    .init(level: 3, module: "Lineage", imports: ["Core"]),

    .init(
      level: 4, module: "Topology",
      imports: ["Core", "Columns", "Contracts", "Expressions", "Features", "Inference", "RemoteModels"],
      libraries: ["Yams", "Crypto"]),
    .init(level: 4, module: "OnlineStore", imports: ["Core", "Columns", "Expressions", "Features", "Rocks"]),
    .init(
      level: 4, module: "OfflineStore",
      imports: ["Core", "Columns", "Codecs", "Storage", "Parquet", "Expressions", "Features", "Delta", "Cost"],
      libraries: ["Crypto"]),
    .init(level: 4, module: "Registry", imports: ["Core", "Storage"], libraries: ["GRDB"]),

    .init(level: 5, module: "Runtime", imports: below(5), libraries: ["Logging", "Metrics", "Tracing"]),
    .init(level: 5, module: "Monitoring", imports: below(5), libraries: ["Logging"]),
    .init(level: 5, module: "MLflow", imports: ["Core", "HTTPClient", "Topology", "Registry"]),
    .init(
      level: 5, module: "Training", imports: below(5) + ["CXGBoost", "CProcess"], libraries: ["Logging", "Crypto"]),

    .init(
      level: 6, module: "Serving", imports: below(6) + ["CConsole"],
      libraries: ["Hummingbird", "HummingbirdCore", "NIOCore", "NIOHTTP1", "Logging", "Metrics", "Tracing"]),
    .init(
      level: 7, module: "headrace", imports: below(7),
      libraries: ["ArgumentParser", "Foundation", "Logging", "ServiceLifecycle"]),
  ]

  private static let levels: [[String]] = [
    ["Core"], ["Columns", "Codecs", "HTTPClient"],
    ["Storage", "Kafka", "Rocks", "Contracts", "Parquet", "Expressions", "Broker"],
    ["Features", "Delta", "Inference", "RemoteModels", "Drift", "Cost", "Telemetry", "Lineage"],
    ["Topology", "OnlineStore", "OfflineStore", "Registry"],
    ["Runtime", "Monitoring", "Training", "MLflow"], ["Serving"], ["headrace"],
  ]

  private static func below(_ level: Int) -> [String] { levels[..<level].flatMap(\.self) }
}
