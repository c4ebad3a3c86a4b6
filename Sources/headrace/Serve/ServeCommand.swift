internal import ArgumentParser
internal import Core
internal import Logging
internal import Registry
internal import Serving

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serve the models of a data folder over HTTP, without Kafka.",
    discussion: """
      The Open Inference Protocol v2 under /v2: `POST /v2/models/NAME/infer` is answered by the version that the alias \
      `champion` stands for, or by the newest one without it; `/v2/models/NAME/versions/V/infer` by the version of \
      that number or alias. `inputs[0]` is the matrix of features [rows, features], FP32 or any other type of \
      numbers, as JSON or binary tensor, NaN a missing value; `outputs[0]` is what the model's own library would \
      predict.

      What `headrace models` changes in the folder takes effect within a second, without a restart and without a \
      failed request. SIGTERM drains: requests are answered, exit 0. A second signal stops at once.
      """)

  /// How often the registry's file is asked whether it has changed.
  private static let watchMilliseconds = 100

  @OptionGroup var store: ModelStoreOptions
  @OptionGroup var listening: ListenOptions
  @Option(
    help: ArgumentHelp(
      "How many of the newest versions of each model are served; those that an alias stands for are besides.",
      valueName: "n"))
  var versions = 16
  @Option(
    name: .customLong("weights"),
    help: ArgumentHelp(
      "Weights of dense layers, of all models or of one: float32, bf16 or int8; may come often. (default: float32)",
      valueName: "[name=]kind"))
  var weights: [ServedWeights] = []
  @OptionGroup(title: "Reports") var reports: MLflowOptions
  @Option(help: "trace, debug, info, notice, warning, error or critical.") var logLevel = "notice"

  func validate() throws {
    guard (1...1_000).contains(versions) else { throw ValidationError("--versions \(versions): expected 1 to 1000") }
    guard Logger.Level(rawValue: logLevel) != nil else {
      throw ValidationError(
        "--log-level \(logLevel): expected \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
    }
  }

  func run() async throws {
    ProcessMemory.returnLargeBlocks()
    var logger = Logger(label: "headrace") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = Logger.Level(rawValue: logLevel) ?? .notice
    let registry = try store.open()
    let models = RegistryModels(
      registry, versionsMax: versions, logger: logger, weightsOf: { [weights] in weights.weights(of: $0) })
    let configuration = try listening.serving()
    let server = FeatureServer(
      models: try models.changes() ?? .none, registry: LocalRegistrySource(registry), configuration: configuration,
      logger: logger)
    try await server.start()
    let host = configuration.host
    let address = "\(host.contains(":") ? "[\(host)]" : host):\(server.port)"
    logger.notice("serving", metadata: ["address": "\(address)", "data": "\(store.data ?? "")"])
    try listening.tell(address)
    let stop = try TerminationSignal.watch()
    let mirroring = try reports.mirror().map { mirror in
      Task { [logger, data = store.data ?? ""] in
        await MLflowMirroring().run(
          mirror, filesPlace: "\(data)/models", isMine: { true }, database: { registry.database }, logger: logger)
      }
    }
    while !stop.isRaised {
      try await Task.sleep(for: .milliseconds(Self.watchMilliseconds))
      do throws(HeadraceError) {
        guard let changed = try models.changes() else { continue }
        server.replace(models: changed)
      } catch {
        logger.error("the registry cannot be read; what runs stays", metadata: ["error": "\(error)"])
      }
    }
    logger.notice("draining")
    await server.stop()
    mirroring?.cancel()
    await mirroring?.value
    logger.notice("stopped")
  }
}
