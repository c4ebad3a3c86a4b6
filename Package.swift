// swift-tools-version: 6.2
import PackageDescription

// One settings block for every target: what the compiler can check, it checks.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableExperimentalFeature("Lifetimes"),
]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// A module of the product. Its `dependencies` are its arrows in the layer table of ARCHITECTURE.md.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// A module's tests. `excluded` names data and scripts that tests read by their path.
func tests(_ name: String, _ dependencies: [Target.Dependency], excluded: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: excluded, swiftSettings: settings)
}

let package = Package(
  name: "headrace",
  products: [.executable(name: "headrace", targets: ["headrace"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
  ],
  targets: [
    .target(name: "CAllocator"),
    // C libraries of the system: each is imported by exactly one module.
    .target(name: "CRDKafka", linkerSettings: [.linkedLibrary("rdkafka")]),
    .target(
      name: "CCodecs",
      linkerSettings: [.linkedLibrary("z"), .linkedLibrary("zstd"), .linkedLibrary("lz4"), .linkedLibrary("snappy")]),
    .target(name: "CBroker", linkerSettings: [.linkedLibrary("crypto")]),
    .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "CRocksDB", linkerSettings: [.linkedLibrary("rocksdb")]),
    .target(name: "CXGBoost", linkerSettings: [.linkedLibrary("xgboost")]),
    // Starts programs under limits, and lets nothing of them survive.
    .target(name: "CProcess"),
    // Counting loops of our own, one version for each level of the instruction set.
    .target(name: "CDrift"),
    // The console's files, inside of the program.
    .target(name: "CConsole", exclude: ["page"]),
    // Loops of our own, compiled for several instruction sets.
    .target(name: "CKernels"),

    module("Core", ["CAllocator"]),
    module("Codecs", ["Core", "CCodecs"]),
    module("Kafka", ["Core", "CRDKafka"]),
    module("Columns", ["Core"]),
    module("HTTPClient", ["Core", asyncHTTPClient, nioCore, nioHTTP]),
    module("Storage", ["Core", "HTTPClient", crypto]),
    module("Rocks", ["Core", "CRocksDB"]),
    module("Contracts", ["Core", "Columns", "HTTPClient", "CSimdjson"]),
    module("Parquet", ["Core", "Columns", "Codecs"]),
    module("Delta", ["Core", "Columns", "Storage", "Parquet"]),
    module("Expressions", ["Core", "Columns"]),
    module("Features", ["Core", "Columns", "Expressions"]),
    module("Drift", ["Core", "Columns", "CDrift"]),
    module("Cost", ["Core"]),
    module("Telemetry", ["Core"]),
    module("Lineage", ["Core"]),
    module("Inference", ["Core", "CKernels"]),
    module("RemoteModels", ["Core", "HTTPClient"]),
    module(
      "Topology",
      ["Core", "Columns", "Contracts", "Expressions", "Features", "Inference", "RemoteModels", yams, crypto]),
    module("OnlineStore", ["Core", "Columns", "Expressions", "Features", "Rocks"]),
    module(
      "OfflineStore",
      ["Core", "Columns", "Codecs", "Storage", "Parquet", "Expressions", "Features", "Delta", "Cost", crypto]),
    module("Registry", ["Core", "Storage", grdb]),
    module("MLflow", ["Core", "HTTPClient", "Topology", "Registry"]),
    module("Broker", ["Core", "Codecs", "CBroker", nioCore, nioPosix, nioSSL, logging]),
    module(
      "Runtime",
      [
        "Core", "Columns", "Kafka", "Contracts", "Expressions", "Features", "Topology", "OnlineStore", "Rocks",
        "Storage", "OfflineStore", "Inference", "RemoteModels", "Drift", "Registry", "Cost", "Telemetry", logging,
      ]),
    module(
      "Monitoring",
      [
        "Core", "Columns", "Kafka", "Contracts", "Expressions", "Features", "Drift", "Topology", "Storage", "Delta",
        "OfflineStore", logging,
      ]),
    module(
      "Training",
      [
        "Core", "Columns", "Parquet", "Expressions", "Storage", "Inference", "Drift", "Topology", "OfflineStore",
        "Registry", "CXGBoost", "CProcess", crypto,
      ]),
    module(
      "Serving",
      [
        "Core", "Columns", "HTTPClient", "Kafka", "Contracts", "Expressions", "Features", "Inference", "Topology",
        "OnlineStore", "OfflineStore", "Registry", "Runtime", "Cost", "Telemetry", "Storage", "Monitoring", "CConsole",
        hummingbird, hummingbirdCore, nioCore, nioHTTP, logging,
      ]),
    .executableTarget(
      name: "headrace",
      dependencies: [
        "Core", "Columns", "Codecs", "HTTPClient", "Kafka", "Contracts", "Expressions", "Features", "Topology", "Rocks",
        "OnlineStore", "Storage", "Parquet", "Delta", "OfflineStore", "Inference", "Drift", "Registry", "Runtime",
        "Monitoring", "Training", "Serving", "Broker", "Cost", "Telemetry", "Lineage", "MLflow", logging, arguments,
      ],
      swiftSettings: settings),

    // Measurements and fuzzing: built with everything else, run by `make bench` and `make fuzz`.
    .target(name: "CAllocations", path: "Benchmarks/CAllocations"),
    .target(
      name: "CLogLimits", dependencies: ["CAllocations"], path: "Benchmarks/CLogLimits",
      linkerSettings: [.linkedLibrary("rdkafka")]),
    .executableTarget(
      name: "headrace-benchmarks", dependencies: ["Core", "Codecs", "Kafka", "Broker", "CAllocations", "CLogLimits"],
      path: "Benchmarks/Log",
      swiftSettings: settings),
    .executableTarget(
      name: "headrace-fuzz",
      dependencies: [
        "Core", "Codecs", "Columns", "Contracts", "Parquet", "Storage", "Delta", "OfflineStore", "Broker", "Inference",
        nioCore,
      ],
      path: "Tests/Fuzz",
      exclude: ["Corpus"], swiftSettings: settings),
    .executableTarget(
      name: "headrace-score", dependencies: ["Core", "Inference"], path: "Tests/Inference",
      exclude: ["peers"], swiftSettings: settings),

    .executableTarget(
      name: "headrace-delta", dependencies: ["Core", "Columns", "Storage", "Delta"], path: "Tests/Delta/Tool",
      swiftSettings: settings),
    // What the harness of Parquet files and its benchmark call.
    .executableTarget(
      name: "headrace-parquet", dependencies: ["Core", "Columns", "Parquet"], path: "Tests/Parquet/Tool",
      swiftSettings: settings),
    .executableTarget(
      name: "headrace-drift-probe", dependencies: ["Core", "Columns", "Drift"], path: "Tests/Drift/Probe",
      swiftSettings: settings),
    .executableTarget(
      name: "headrace-drift-benchmarks", dependencies: ["Core", "Columns", "Drift", "Monitoring"],
      path: "Benchmarks/Drift",
      exclude: ["peers.py", "floor.cpp", "run", "whylogs-requirements.txt"], swiftSettings: settings),

    // What tests of several modules need: folders, stores that fail on order.
    .target(
      name: "TestSupport", dependencies: ["Core", "Storage"], path: "Tests/TestSupport", swiftSettings: settings),

    tests("CoreTests", ["Core"]),
    tests("CodecsTests", ["Core", "Codecs"]),
    tests("BrokerTests", ["Core", "Codecs", "Broker", nioCore, nioPosix], excluded: ["Protocol/Golden"]),
    tests("KafkaTests", ["Core", "Kafka", "Broker", "CRDKafka", logging]),
    tests("ColumnsTests", ["Core", "Columns"]),
    tests("ContractsTests", ["Core", "Columns", "Contracts"]),
    tests("ParquetTests", ["Core", "Columns", "Codecs", "Parquet", "TestSupport"]),
    tests("ExpressionsTests", ["Core", "Columns", "Expressions"]),
    tests("FeaturesTests", ["Core", "Columns", "Expressions", "Features"]),
    tests("StorageTests", ["Core", "Storage", "TestSupport"]),
    tests("DeltaTests", ["Core", "Columns", "Storage", "Parquet", "Delta", "TestSupport"]),
    tests(
      "OfflineStoreTests",
      ["Core", "Columns", "Expressions", "Features", "Storage", "Delta", "OfflineStore", "Cost", "TestSupport"]),
    tests("DriftTests", ["Core", "Columns", "Drift"], excluded: ["Golden"]),
    tests("InferenceTests", ["Core", "Inference"]),
    tests("RemoteModelsTests", ["Core", "HTTPClient", "RemoteModels"]),
    tests("RegistryTests", ["Core", "Storage", "Registry", "TestSupport", grdb]),
    tests("MLflowTests", ["Core", "MLflow"]),
    tests("LineageTests", ["Core", "Lineage"]),
    tests("CostTests", ["Core", "Cost"]),
    tests("TelemetryTests", ["Telemetry"]),
    tests("MonitoringTests", ["Core", "Columns", "Drift", "Storage", "OfflineStore", "Monitoring"]),
    tests(
      "TrainingTests",
      [
        "Core", "Columns", "Parquet", "Storage", "Contracts", "Inference", "OfflineStore", "Topology", "Registry",
        "Training", "TestSupport",
      ]),
    tests("RocksTests", ["Core", "Rocks", "TestSupport"]),
    tests(
      "TopologyTests", ["Core", "Columns", "Contracts", "Expressions", "Features", "Topology"], excluded: ["Golden"]),
    tests(
      "OnlineStoreTests",
      ["Core", "Columns", "Expressions", "Features", "Rocks", "OnlineStore", "CAllocations", "TestSupport"]),
    tests(
      "RuntimeTests",
      [
        "Core", "Columns", "Kafka", "Contracts", "Expressions", "Features", "Topology", "OnlineStore", "Rocks",
        "Storage", "Delta", "OfflineStore", "Inference", "Drift", "Registry", "Runtime", "Broker", "TestSupport",
        logging,
      ], excluded: ["Models"]),
    tests(
      "ServingTests",
      [
        "Core", "Columns", "Kafka", "Contracts", "Features", "Inference", "Cost", "Topology", "OnlineStore",
        "OfflineStore", "Registry", "Runtime", "Serving", "Broker", "CAllocations", nioCore, nioHTTP, nioEmbedded,
        logging,
      ]),
    tests("HeadraceTests", ["Core", "Columns", "Contracts", "Kafka", "headrace"]),
    tests("ArchitectureTests", []),
  ],
  cxxLanguageStandard: .cxx17
)
