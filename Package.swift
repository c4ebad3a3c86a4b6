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
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

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
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    // C libraries of the system: each is imported by exactly one module.
    .target(name: "CRDKafka", linkerSettings: [.linkedLibrary("rdkafka")]),
    .target(
      name: "CCodecs",
      linkerSettings: [.linkedLibrary("z"), .linkedLibrary("zstd"), .linkedLibrary("lz4"), .linkedLibrary("snappy")]),
    .target(name: "CBroker", linkerSettings: [.linkedLibrary("crypto")]),
    .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),

    module("Core"),
    module("Codecs", ["Core", "CCodecs"]),
    module("Kafka", ["Core", "CRDKafka"]),
    module("Contracts", ["Core", "CSimdjson"]),
    module("Broker", ["Core", "Codecs", "CBroker", nioCore, nioPosix, nioSSL, logging]),
    .executableTarget(
      name: "headrace", dependencies: ["Core", "Codecs", "Kafka", "Contracts", "Broker", logging, arguments],
      swiftSettings: settings),

    // Measurements and fuzzing: built with everything else, run by `make bench` and `make fuzz`.
    .target(name: "CLogLimits", path: "Benchmarks/CLogLimits", linkerSettings: [.linkedLibrary("rdkafka")]),
    .executableTarget(
      name: "headrace-benchmarks", dependencies: ["Core", "Codecs", "Kafka", "Broker", "CLogLimits"],
      path: "Benchmarks/Log",
      swiftSettings: settings),
    .executableTarget(
      name: "headrace-fuzz", dependencies: ["Core", "Codecs", "Broker", nioCore], path: "Tests/Fuzz",
      exclude: ["Corpus"], swiftSettings: settings),

    tests("CoreTests", ["Core"]),
    tests("CodecsTests", ["Core", "Codecs"]),
    tests("BrokerTests", ["Core", "Codecs", "Broker", nioCore, nioPosix], excluded: ["Protocol/Golden"]),
    tests("KafkaTests", ["Core", "Kafka", "Broker", "CRDKafka", logging]),
    tests("ContractsTests", ["Core", "Contracts"]),
    tests("HeadraceTests", ["Core", "Contracts", "Kafka", "headrace"]),
    tests("ArchitectureTests", []),
  ],
  cxxLanguageStandard: .cxx17
)
