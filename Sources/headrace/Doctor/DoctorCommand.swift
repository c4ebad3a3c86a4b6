internal import ArgumentParser
internal import Core
internal import Kafka
internal import Storage
internal import Topology

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check broker, topics, contracts, clock, disk, ports and versions.",
    discussion: """
      Reads only, and changes nothing. Each finding that is not ok says what to do. With topologies, their topics, the \
      newest records of these (do they hold to the contract?) and their workers are looked at as well.

      Exit codes: 0 all is well, or there are warnings only; 1 something has to be mended; 2 wrong usage.
      """)

  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup var topology: TopologyOptions
  @Argument(help: ArgumentHelp("Topologies.", valueName: "file")) var files: [String] = []
  @Option(help: ArgumentHelp("The data folder that would be used.", valueName: "folder")) var data = "."
  @Option(help: ArgumentHelp("The address that HTTP would be served on.", valueName: "host:port"))
  var listen = "127.0.0.1:6566"
  @Option(help: "How many of the newest records of a partition are held against the contract.") var sample: Int64 = 100
  @Option(help: "table or json.") var output = OutputFormat.table

  func validate() throws {
    _ = try HostAndPort.parse(listen, flag: "--listen")
    guard (0...100_000).contains(sample) else { throw ValidationError("--sample \(sample): expected 0 to 100000") }
  }

  func run() async throws {
    var findings: [Finding] = [
      .ok("version", "headrace \(Version.current), librdkafka \(KafkaLibrary.version)")
    ]
    findings += MachineChecks.all(dataDirectory: data)
    findings.append(try await port())
    var plans: [Plan] = []
    for file in files {
      let (plan, finding) = load(file)
      findings.append(finding)
      if let plan { plans.append(plan) }
    }
    let client = try connection.clientConfiguration()
    let checks = BrokerChecks(admin: try Admin(client), client: client)
    if let cluster = await checks.cluster(into: &findings) {
      for plan in plans {
        findings += await checks.topics(of: plan, in: cluster)
        findings += await checks.rejectedTopics(of: plan, in: cluster)
        findings.append(await checks.group(of: plan))
        findings += await histories(of: plan, client, topics: Set(cluster.topics.map(\.name)))
      }
      findings += try await records(of: plans, in: cluster, client)
    }
    switch output {
    case .table: try StandardOutput.writeAll(Array(findings.text.utf8))
    case .json:
      var writer = JSONWriter()
      writer.array { writer in for finding in findings { finding.write(to: &writer) } }
      try StandardOutput.writeAll(writer.bytes + [UInt8(ascii: "\n")])
    }
    if findings.worst == .error { throw Ended(status: .failed) }
  }

  private func load(_ file: String) -> (Plan?, Finding) {
    do {
      let plan = try topology.load(file)
      let text = "\(plan.sources.count) sources, \(plan.views.count) views, fingerprint \(plan.fingerprint)"
      return (plan, .ok("topology \(plan.name)", text))
    } catch {
      let message = error is Ended ? "it is not valid: see above" : "\(error)"
      return (nil, Finding("topology \(file)", .error, message, fix: "headrace plan \(file) shows everything"))
    }
  }

  /// How far back the events of each source reach: what state that is lost, or new, can be built from.
  private func histories(of plan: Plan, _ client: ClientConfiguration, topics: Set<String>) async -> [Finding] {
    let tables = "\(data)/tables"
    do {
      let store = Folder.exists(tables) ? try DiskBlobStore(root: tables) : nil
      let report = try await BlockingThread(name: "history").run {
        try HistoryReport(of: plan, store, client, topics: topics)
      }
      return report.sources.map { source in
        guard let gap = source.gaps.first else { return .ok("history \(source.name)", source.text) }
        return Finding(
          "history \(source.name)", .warning, "\(source.text); \(gap)",
          fix: "new views begin behind it; keep records for longer (retention.ms) than a worker may stand still")
      }
    } catch {
      let reason = (error as? HeadraceError)?.message ?? "\(error)"
      return [Finding("history \(plan.name)", .warning, reason, fix: "headrace replay --topology FILE reads it")]
    }
  }

  private func port() async throws -> Finding {
    let (host, port) = try HostAndPort.parse(listen, flag: "--listen")
    var found = MachineChecks.bindable(host: host, port: port)
    if case .taken = found, (try? await ServerClient(listen, token: nil).get("/livez")) != nil { found = .served }
    return MachineChecks.judge(found, address: listen)
  }

  /// The newest records of every topic: are they from the future, and do they hold to their contract?
  private func records(
    of plans: [Plan], in cluster: ClusterDescription, _ client: ClientConfiguration
  ) async throws -> [Finding] {
    var findings: [Finding] = []
    var newest: (topic: String, timestampMilliseconds: Int64)?
    let thread = try BlockingThread(name: "doctor")
    for source in plans.flatMap(\.sources) where cluster.topics.contains(where: { $0.name == source.topic }) {
      let limit = sample
      do {
        let samples = try await thread.run { try TopicSample.read([source.topic], recordsMax: limit, client) }
        let sample = samples[source.topic] ?? TopicSample()
        if let time = sample.newestTimestampMilliseconds, time > newest?.timestampMilliseconds ?? .min {
          newest = (source.topic, time)
        }
        findings.append(try ContractCheck.judge(sample, source))
      } catch {
        let reason = (error as? HeadraceError)?.message ?? "\(error)"
        findings.append(
          Finding("contract \(source.topic)", .warning, reason, fix: "allow this user to read the topic"))
      }
    }
    findings.append(MachineChecks.clock(newest: newest, nowMilliseconds: WallClock.system.nowMilliseconds))
    return findings
  }
}
