internal import Core
internal import Kafka
internal import Runtime
internal import Topology

/// What a broker says, as findings: reached, topics, group.
struct BrokerChecks: Sendable {
  let admin: Admin
  let client: ClientConfiguration

  /// The cluster, when it answers.
  func cluster(into findings: inout [Finding]) async -> ClusterDescription? {
    let began = WallClock.monotonic.nowMilliseconds
    do {
      let cluster = try await admin.run { try $0.describeCluster() }
      let milliseconds = WallClock.monotonic.nowMilliseconds - began
      findings.append(
        .ok("broker", "\(client.bootstrapServers): \(cluster.brokers.count) brokers, answered in \(milliseconds) ms"))
      return cluster
    } catch {
      let reason = ClientTrouble.message ?? (error as? HeadraceError)?.message ?? "\(error)"
      findings.append(
        Finding(
          "broker", .error, "\(client.bootstrapServers): \(reason)",
          fix: "start one with `headrace broker --data log`, or name yours by --bootstrap; "
            + "with TLS or a login see `headrace topics list --help`"))
      return nil
    }
  }

  /// The topics that a plan reads.
  func topics(of plan: Plan, in cluster: ClusterDescription) async -> [Finding] {
    var topics: [TopicChecks.Topic] = []
    for source in plan.sources {
      topics.append(await describe(source.topic, source: source.name, in: cluster))
    }
    let anywhere = plan.sources.filter { $0.partitioner == nil }.map(\.name)
    let minimum = RuntimeConfiguration(client: client, dataDirectory: "").retentionMinimumMilliseconds
    return TopicChecks.all(topics, unpartitioned: Set(anywhere), retentionMinimum: minimum)
  }

  /// The topics that a plan sets records aside in, where they were made.
  func rejectedTopics(of plan: Plan, in cluster: ClusterDescription) async -> [Finding] {
    var findings: [Finding] = []
    for name in [plan.deadLetterTopic, plan.lateTopic] {
      let topic = await describe(name, source: plan.name, in: cluster)
      if topic.partitionCount != nil { findings += TopicChecks.rejected(topic) }
    }
    return findings
  }

  private func describe(_ name: String, source: String, in cluster: ClusterDescription) async -> TopicChecks.Topic {
    var topic = TopicChecks.Topic(name: name, source: source)
    guard let found = cluster.topics.first(where: { $0.name == name }) else { return topic }
    topic.partitionCount = found.partitions.count
    do {
      topic.settings = try await admin.run { try $0.configuration(of: .topic(name)) }.compactMapValues(\.value)
    } catch {
      topic.failure = (error as? HeadraceError)?.message ?? "\(error)"
    }
    return topic
  }

  /// Who does the work of a plan now.
  func group(of plan: Plan) async -> Finding {
    let subject = "group \(plan.name)"
    do {
      let groups = try await admin.run { try $0.listGroups() }
      guard groups.contains(plan.name) else { return .ok(subject, "nobody works on it yet") }
      let group = try await admin.run { try $0.describeGroup(plan.name) }
      guard !group.members.isEmpty else {
        return Finding(
          subject, .warning, "no worker is running (\(group.state))", fix: "headrace run \(plan.document.file)")
      }
      let idle = group.members.filter(\.partitions.isEmpty).count
      let text = "\(group.members.count) workers, \(group.state)"
      guard idle == 0 else {
        return Finding(
          subject, .warning, "\(text); \(idle) of them have no partition",
          fix: "there are more workers than partitions: stop some, or give the topics more partitions from the start")
      }
      return .ok(subject, text)
    } catch {
      return Finding(
        subject, .warning, (error as? HeadraceError)?.message ?? "\(error)",
        fix: "allow this user to describe the group")
    }
  }
}
