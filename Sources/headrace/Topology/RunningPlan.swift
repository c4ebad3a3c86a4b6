internal import Core
internal import Kafka
internal import Runtime
internal import Topology

/// What a broker knows of a topology: its topics, and the plan that is in force.
struct RunningPlan: Sendable {
  /// nil when none was ever applied.
  var plan: Plan?
  /// Of that plan; 0 when there is none.
  var version: Int64 = 0
  /// Of the topics that exist.
  var partitionCounts: [String: Int32]

  /// What is to be said of the retention of a plan's sources: their topics as far as they are there.
  func retention(of plan: Plan, _ client: ClientConfiguration) async throws -> [Finding] {
    let topics = Set(plan.sources.map(\.topic)).filter { partitionCounts[$0] != nil }.sorted()
    let minimum = RuntimeConfiguration(client: client, dataDirectory: "").retentionMinimumMilliseconds
    let thread = try BlockingThread(name: "plan")
    return try await thread.run {
      let admin = try Admin(client)
      return try topics.flatMap { topic in
        let settings = try admin.configuration(of: .topic(topic)).compactMapValues(\.value)
        return TopicChecks.retention(settings, "topic \(topic)", minimum: minimum)
      }
    }
  }

  /// - Throws: when a service that is to be retired does not run.
  func check(retired: [String]) throws(HeadraceError) {
    let names = plan?.services.map(\.name) ?? []
    guard let wrong = retired.first(where: { !names.contains($0) }) else { return }
    throw HeadraceError(
      .user, "NO_SUCH_SERVICE", "--retire \(wrong): no service of this name runs",
      remedy: names.isEmpty ? "leave it out: there is nothing to retire" : "one of \(names.joined(separator: ", "))")
  }

  /// Asks the broker; nil, and a word on stderr, where none answers.
  static func find(of topology: String, _ connection: ConnectionOptions) async throws -> RunningPlan? {
    var client = try connection.clientConfiguration()
    // A broker on a laptop answers at once, or is not there.
    if connection.bootstrap == nil { client.requestTimeoutMilliseconds = min(client.requestTimeoutMilliseconds, 2_000) }
    do {
      return try await read(topology, client)
    } catch let error as HeadraceError where error.isUnreachable {
      guard connection.bootstrap == nil else { throw error }
      StandardError.write(
        "note: no broker answers at \(client.bootstrapServers): compared with nothing (--bootstrap names another)")
      return nil
    }
  }

  /// - Parameter topology: its name.
  static func read(_ topology: String, _ client: ClientConfiguration) async throws -> RunningPlan {
    let thread = try BlockingThread(name: "plan")
    return try await thread.run {
      let topics = try Admin(client).describeCluster().topics.filter { $0.error == nil }
      var found = RunningPlan(plan: nil, partitionCounts: [:])
      for topic in topics { found.partitionCounts[topic.name] = Int32(clamping: topic.partitions.count) }
      // Looking must not make the topic.
      guard found.partitionCounts[ControlLog.topic] != nil,
        let applied = try ControlLog(client).current(topology: topology)
      else { return found }
      found.version = applied.version
      found.plan = try TopologyLoader.load(applied.document).get()
      return found
    }
  }
}
