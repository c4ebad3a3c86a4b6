internal import ArgumentParser
internal import Core
internal import Kafka
internal import OfflineStore
internal import Runtime

struct ExplainPredictionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prediction",
    abstract: "Why a model said what it said of an event.",
    discussion: """
      The id of a prediction names its event: TOPIC-PARTITION-OFFSET/MODEL. From the archive come the event, the rows \
      of the model's views as the event saw them (its own partition up to and including itself), each feature with its \
      window and the offsets of its records, applied again to the same bits. With --bootstrap the prediction itself is \
      looked for in its topic: it says which version of the model answered, what it said, and of which service. \
      Without it versions are those of --topology.

      Exit codes: 0 every value is verified; 1 one is not, or it failed; 2 wrong usage.
      """)

  @Argument(help: ArgumentHelp("The `id` of the prediction.", valueName: "id")) var id: String
  @Option(help: ArgumentHelp("The topology.", valueName: "file")) var topology: String
  @OptionGroup var place: TableOptions
  @Option(help: "table or json.") var output = OutputFormat.table
  @OptionGroup var schemas: TopologyOptions
  @OptionGroup(title: "Connection") var connection: ConnectionOptions

  func validate() throws {
    guard PredictionID(id) != nil else { throw ValidationError("'\(id)': expected TOPIC-PARTITION-OFFSET/MODEL") }
  }

  func run() async throws {
    guard let id = PredictionID(id) else { return }
    let plan = try schemas.load(topology, showsWarnings: false)
    let explainer = PredictionExplainer(plan, tables: try place.store())
    var explanation = try explainer.explain(id)
    if connection.bootstrap != nil, let topic = explainer.outputTopic(of: id) {
      let client = try connection.clientConfiguration()
      let since = explanation.knownMilliseconds ?? 0
      explanation.recorded = try await BlockingThread(name: "explain").run {
        try RecordedPrediction.find(id, in: topic, sinceMilliseconds: since, client)
      }
      if let recorded = explanation.recorded {
        explanation.modelVersion = recorded.modelVersion
        explanation.serviceVersion = recorded.serviceVersion ?? explanation.serviceVersion
      }
    }
    let text = ExplanationText()
    try StandardOutput.writeAll(output == .json ? text.json(explanation) : Array(text.table(explanation).utf8))
    if explanation.rows.contains(where: { $0.row.features.contains { !$0.isVerified } }) {
      throw Ended(status: .failed)
    }
  }
}
