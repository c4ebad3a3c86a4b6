internal import ArgumentParser
internal import Core
internal import Kafka
internal import Registry
internal import Runtime
internal import Topology

struct ModelsWhoServedCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "who-served", abstract: "Which version answered at a time, or for an event.",
    discussion: """
      With --at: what the alias stood for then, and which rollouts were under way. With --topic, --partition and --offset: \
      by which versions the task scored that event, from the offsets that tasks write down when they go over; a canary's \
      share is decided by the event's key.
      """)

  @OptionGroup var model: ModelOptions
  @Option(help: ArgumentHelp("A time (RFC 3339, or milliseconds since 1970).", valueName: "time")) var at: String?
  @Option(help: ArgumentHelp("The topic of the event.", valueName: "topic")) var topic: String?
  @Option(help: ArgumentHelp("Its partition.", valueName: "n")) var partition: Int32?
  @Option(help: ArgumentHelp("Its offset.", valueName: "n")) var offset: Int64?

  func validate() throws {
    let isEvent = topic != nil && partition != nil && offset != nil
    guard (at != nil) != isEvent, isEvent || topic == nil && partition == nil && offset == nil else {
      throw ValidationError("name either --at TIME, or --topic, --partition and --offset of an event")
    }
  }

  func run() async throws {
    let cluster = try ClusterRegistry(model.connection)
    if let at {
      guard let time = Int64(at) ?? RFC3339.milliseconds(at) else {
        throw ValidationError("--at \(at): expected a time such as 2026-11-22T12:00:00Z, or milliseconds since 1970")
      }
      let registered = try await cluster.snapshot().model(model.name)
      let alias = registered.aliases[model.alias]
      let position = alias?.newestOffset(atMilliseconds: time) ?? -1
      return try tell(registered, position, since: nil, key: nil)
    }
    guard let topic, let partition, let offset else { return }
    let event = TopicPartition(topic: topic, partition: partition)
    let (client, name, alias) = (cluster.client, model.name, model.alias)
    let found = try await BlockingThread(name: "models").run { () throws -> (RegisteredModel, Int64, Int64) in
      let log = try ControlLog(client)
      let registry = try log.currentRegistry()
      guard let registered = registry[name] else { throw RegistryRefusal.modelUnknown(nearest: nil).error(place: name) }
      for applied in log.plans {
        guard case .success(let plan) = TopologyLoader.load(applied.document),
          plan.models.contains(where: {
            $0.use == ModelReference(model: name, selector: .alias(alias)) && plan.sources[$0.source].topic == topic
          }),
          let scoring = log.scoring(topology: plan.name, of: event, at: offset)
        else { continue }
        return (registered, scoring.position, scoring.since)
      }
      throw HeadraceError(
        .user, "NOT_SERVED", "no task has written down that it scored this event by \(name)@\(alias)",
        place: "\(event)@\(offset)", remedy: "name a topic that a running topology's model reads, and an offset behind "
          + "its start")
    }
    let key = try await Self.key(of: event, offset, client)
    try tell(found.0, found.1, since: found.2, key: key)
  }

  /// The key of an event; nil when it is gone.
  private static func key(of partition: TopicPartition, _ offset: Int64, _ client: ClientConfiguration) async throws
    -> [UInt8]?
  {
    try await BlockingThread(name: "models").run {
      let consumer = try Consumer(ConsumerConfiguration(client: client, groupID: nil))
      defer { _ = try? consumer.close(timeoutMilliseconds: 1_000) }
      guard let ends = try consumer.watermarks([partition])[partition], offset >= ends.beginning, offset < ends.end else {
        return nil
      }
      try consumer.assign([partition: .offset(offset)])
      let deadline = WallClock.monotonic.nowMilliseconds + 5_000
      var key: [UInt8]?
      var isFound = false
      while !isFound, WallClock.monotonic.nowMilliseconds < deadline {
        try consumer.poll(timeoutMilliseconds: 100) { records in
          guard !isFound, records.count > 0 else { return }
          isFound = true
          guard records[0].offset == offset, let bytes = records[0].key else { return }
          key = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
        }
      }
      return key
    }
  }

  private func tell(_ registered: RegisteredModel, _ position: Int64, since: Int64?, key: [UInt8]?) throws {
    let alias = registered.aliases[model.alias]
    guard let champion = alias?.version(atOffset: position) else {
      throw HeadraceError(
        .user, "NOT_SERVED", "the alias stood for no version then", place: model.place,
        remedy: "headrace models who-served with a later time")
    }
    let records = alias?.records(at: position) ?? []
    var lines = ["version \(champion)"]
    var answered: Int? = champion
    for record in records {
      let rollout = record.rollout
      guard rollout.answers else {
        lines.append("version \(rollout.version) in the shadow")
        continue
      }
      lines.append(
        "version \(rollout.version) as \(rollout.kind.rawValue) for \(Double(rollout.sharePerMille) / 10) % of the keys")
      guard since != nil else {
        answered = nil
        continue
      }
      let isIts = key.map { RolloutKeys.isChallengers($0, rollout) } ?? false
      if isIts { answered = rollout.segments.isEmpty ? rollout.version : nil }
    }
    if let since { lines.append("since offset \(since)") }
    if let answered, since != nil { lines.append("answered by version \(answered)") }
    try model.tell(lines.joined(separator: ", ")) { json in
      json.member("version", champion)
      json.member("position", position)
      if let since { json.member("since_offset", since) }
      if let answered { json.member("answered", answered) }
      json.key("rollouts")
      json.array { array in
        for record in records { record.rollout.write(to: &array) }
      }
    }
  }
}

extension RegisteredAlias {
  /// The newest command that concerned the alias up to a time.
  fileprivate func newestOffset(atMilliseconds time: Int64) -> Int64? {
    let entries = history.map(\.entry) + rolloutHistory.flatMap { [$0.began, $0.ended].compactMap(\.self) }
    return entries.filter { $0.timeMilliseconds <= time }.map(\.offset).max()
  }
}
