package import Columns
package import Core
internal import Delta
internal import Features
package import Storage

/// Finds out from the archive which records make the features of an entity what they are.
///
/// Nothing is decided twice: outcomes are those that the archive has. What is named as contributing is applied alone
/// and read again by the code that serves; only if that gives the same bits the explanation counts as verified.
package struct RowExplainer {
  private let view: ParitySpecification.View
  private let store: any BlobStore

  /// - Parameter view: of the plan that is asked about.
  package init(_ view: ParitySpecification.View, tables store: any BlobStore) {
    self.view = view
    self.store = store
  }

  /// - Parameters:
  ///   - key: values of the entity's join keys.
  ///   - features: names; empty: all.
  ///   - watermark: of the partition at the read; nil: the time of the read.
  /// - Throws: ARCHIVE_MISSING when the view's source is not archived.
  package func explain(
    key: [Value], atMilliseconds time: Int64, _ prefix: ExplainedPrefix, features: [String] = [],
    watermark: Int64? = nil
  ) throws(HeadraceError) -> RowExplanation {
    guard let name = view.table else {
      throw HeadraceError(
        .user, "ARCHIVE_MISSING", "the view's source is not archived", place: view.point.name,
        remedy: "explain needs the table events/SOURCE of a worker with tables (`archive: on`)")
    }
    guard let table = try DeltaTable.open(store, try BlobName(name)) else {
      throw HeadraceError(
        .user, "ARCHIVE_MISSING", "nothing is archived of the view's source yet", retry: .sameCall, place: name,
        remedy: "a table begins some 20 s after its first event; see that a worker writes to this place")
    }
    let events = try load(table, key, time)
    var explanation = RowExplanation(
      view: view.point.name, atMilliseconds: time, topic: view.topic, tableVersion: table.snapshot.version)
    var evidence = RowEvidence(view, events, at: time, prefix, watermark: watermark ?? time)
    explanation.recordCount = evidence.applied.count
    for (position, feature) in view.point.features.enumerated()
    where features.isEmpty || features.contains(feature.name) {
      explanation.features.append(evidence.explain(feature.position, feature.name, position))
    }
    return explanation
  }

  /// The entity's records that a read at that time can depend on.
  private func load(_ table: DeltaTable, _ key: [Value], _ time: Int64) throws(HeadraceError) -> ReplayedEvents {
    var replay = ViewReplay(view)
    replay.add(
      ServedVector.Read(
        view: view.point.name, key: Array(zip(view.joinKeys, key)), readMilliseconds: time, watermarkMilliseconds: nil,
        prefix: LogPrefix(topic: view.topic, parts: []), features: []))
    replay.begin(part: 0, of: 1)
    var conditions: [ColumnCondition] = []
    if let reach = view.point.layout.reachMilliseconds {
      let first = time.subtractingReportingOverflow(reach)
      let micros = first.partialValue.multipliedReportingOverflow(by: 1_000)
      if !first.overflow, !micros.overflow {
        conditions.append(ColumnCondition("_event_time", .greaterOrEqual, .timestamp(micros.partialValue)))
      }
    }
    let scan = try TableScan(
      table, columns: view.fields.map(\.name) + EventArchive.decisions.map(\.name),
      files: table.snapshot.files(where: conditions))
    var batch = ColumnBatch(scan.types)
    while try scan.next(into: &batch) { replay.add(batch) }
    return replay.events
  }
}

/// The records of one entity, and what follows from them.
struct RowEvidence {
  private let view: ParitySpecification.View
  private let events: ReplayedEvents
  private let time: Int64
  private let watermark: Int64
  /// Positions in `events.kept` of what the row is made of, and of what came too late for it, by partition and offset.
  let applied: [Int]
  private let late: [Int]
  private var values: [FeatureValue] = []

  init(
    _ view: ParitySpecification.View, _ events: ReplayedEvents, at time: Int64, _ prefix: ExplainedPrefix,
    watermark: Int64
  ) {
    self.view = view
    self.events = events
    self.time = time
    self.watermark = watermark
    let kept = events.kept
    let order = kept.indices.sorted {
      (kept[$0].position.partition, kept[$0].position.offset) < (kept[$1].position.partition, kept[$1].position.offset)
    }
    func isIn(_ event: ReplayedEvent) -> Bool {
      switch prefix {
      case .known: event.countsFrom <= time
      case .below(let offset, let partition):
        event.position.partition == partition && event.position.offset < offset
      }
    }
    applied = order.filter { !kept[$0].isLate && isIn(kept[$0]) }
    late = order.filter { kept[$0].isLate }
    values = read(applied, Array(view.point.features.map(\.position)))
  }

  /// - Parameter position: in the view's features.
  mutating func explain(_ feature: Int, _ name: String, _ position: Int) -> FeatureExplanation {
    var explanation = FeatureExplanation(
      name: name, value: ServedValue(values[position].value), status: values[position].status)
    let definitions = view.point.layout.definition.features
    let candidates: [[Int]]
    if feature < definitions.count {
      let definition = definitions[feature]
      explanation.window = definition.window.canonicalText
      (explanation.fromMilliseconds, explanation.toMilliseconds) = bounds(definition.window)
      candidates = choices(definition)
      explanation.late = late.filter { contains(definition.window, events.kept[$0].timeMilliseconds) }.map(place)
    } else {
      // Computed of other features of the row: all that any of them counts.
      candidates = [Set(definitions.flatMap { choices($0).first ?? [] }).sorted(by: isBefore), applied]
    }
    let newest = applied.max { events.kept[$0].timeMilliseconds < events.kept[$1].timeMilliseconds }
    for candidate in candidates {
      // Whether a value is too old depends on the newest record, whatever it says.
      for chosen in [candidate, Set(candidate + [newest].compactMap(\.self)).sorted(by: isBefore)] {
        let again = read(chosen, [feature]).first
        guard let again, again.status == explanation.status, ServedValue(again.value) == explanation.value else {
          continue
        }
        explanation.isVerified = true
        explanation.contributing = chosen.map(place)
        explanation.repaired = chosen.filter { isRepaired(events.kept[$0]) }.map(place)
        explanation.hasNewerRecords = chosen.contains { events.kept[$0].timeMilliseconds > time }
        return explanation
      }
    }
    explanation.contributing = (candidates.first ?? []).map(place)
    return explanation
  }

  private func place(_ event: Int) -> EventPosition { events.kept[event].position }

  private func isBefore(_ left: Int, _ right: Int) -> Bool {
    (place(left).partition, place(left).offset) < (place(right).partition, place(right).offset)
  }

  private func isRepaired(_ event: ReplayedEvent) -> Bool {
    view.point.layout.ring(eventTime: event.timeMilliseconds, watermark: event.watermark) == .repaired
  }

  private func read(_ chosen: [Int], _ features: [Int]) -> [FeatureValue] {
    let layout = view.point.layout
    var values: [FeatureValue] = []
    guard !chosen.isEmpty else {
      layout.readMissing(features: features, into: &values)
      return values
    }
    var row = FeatureRow(layout)
    for event in chosen {
      layout.apply(
        &row, events: events.block, index: event, eventTime: events.kept[event].timeMilliseconds,
        position: events.kept[event].position, watermark: view.isRepartitioned ? .min : events.kept[event].watermark)
    }
    layout.read(row, at: time, watermark: watermark, features: features, into: &values)
    return values
  }
}

// Windows.
extension RowEvidence {
  private func bounds(_ window: Window) -> (from: Int64?, to: Int64?) {
    switch window {
    case .sliding(let length, let hop): (floorDivide(time, hop) &* hop &- length, time)
    case .tumbling(let length):
      (floorDivide(time, length) &* length &- length, floorDivide(time, length) &* length &- 1)
    case .lifetime, .session, .lastEvents: (nil, time)
    }
  }

  private func contains(_ window: Window, _ eventTime: Int64) -> Bool {
    let (from, to) = bounds(window)
    return eventTime >= from ?? .min && eventTime <= to ?? .max
  }

  /// What may be what the feature counts, the most likely first: records in the window that the filter lets through and
  /// whose argument is there; then with the newer ones in the window's last tile; then all that the row has.
  private func choices(_ definition: FeatureDefinition) -> [[Int]] {
    let counted = applied.filter { event in
      if let filter = definition.filter, !events.isTrue(input: filter, event) { return false }
      return definition.argument.map { events.isValid(input: $0, event) } ?? true
    }
    func time(_ event: Int) -> Int64 { events.kept[event].timeMilliseconds }
    let inWindow = counted.filter { contains(definition.window, time($0)) }
    switch definition.window {
    case .sliding(_, let hop):
      let end = floorDivide(self.time, hop) &* hop &+ hop
      let from = bounds(definition.window).from ?? .min
      return [inWindow, counted.filter { time($0) >= from && time($0) < end }, counted]
    case .lastEvents(let count):
      let newest = counted.sorted {
        (time($0), place($0).partition, place($0).offset) < (time($1), place($1).partition, place($1).offset)
      }
      return [newest.suffix(count).sorted(by: isBefore), counted]
    case .session(let gap):
      var session: [Int] = []
      var edge = self.time
      for event in inWindow.sorted(by: { time($0) > time($1) }) {
        guard edge &- time(event) <= gap else { break }
        session.append(event)
        edge = time(event)
      }
      return [session.sorted(by: isBefore), counted]
    case .tumbling, .lifetime: return [inWindow, counted]
    }
  }
}
