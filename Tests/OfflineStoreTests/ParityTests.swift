import Columns
import Core
import Delta
import Expressions
import Features
import Storage
import TestSupport
import Testing

@testable import OfflineStore

/// Served values, made again from an archive that is written here, against rows that are made for each read alone.
@Suite struct ParityTests {
  private struct Event {
    var key: Int64
    var amount: Double
    var time: Int64
    var known: Int64
    var watermark: Int64
    var position: EventPosition
  }

  private struct Case {
    var events: [Event]
    var vectors: [ServedVector]
    var store: any BlobStore
    var specification: ParitySpecification
  }

  @Test func `a read is made again bit for bit from the records that its row was made of`() throws {
    let seed = TestSeed.next()
    var random = SplitMix64(seed: seed)
    for round in 0..<40 {
      let made = try Self.makeCase(&random, isRepartitioned: round % 2 == 1)
      let report = try Self.check(made.specification, made.store).run(made.vectors)
      let served = report.total(.served)
      #expect(served.checked == Int64(made.vectors.count * 5), "seed \(seed)")
      #expect(served.equal == served.checked, "seed \(seed): \(report.examples)")
      #expect(report.unexplained == 0, "seed \(seed): \(report.examples)")
      #expect(report.pending == 0 && report.uncertain == 0, "seed \(seed)")
    }
  }

  @Test func `one bit of one value is found and named a fault`() throws {
    let seed = TestSeed.next()
    var random = SplitMix64(seed: seed)
    let made = try Self.makeCase(&random, isRepartitioned: false)
    for (index, vector) in made.vectors.enumerated() {
      guard let feature = vector.reads[0].features.firstIndex(where: { $0.value != .null }) else { continue }
      var vectors = made.vectors
      switch vector.reads[0].features[feature].value {
      case .integer(let number): vectors[index].reads[0].features[feature].value = .integer(number ^ 1)
      case .double(let bits): vectors[index].reads[0].features[feature].value = .double(bits: bits ^ 1)
      case .null, .text: continue
      }
      let report = try Self.check(made.specification, made.store).run(vectors)
      #expect(report.unexplained == 1, "seed \(seed)")
      #expect(report.total(.served).mismatches == [.code: 1], "seed \(seed)")
      #expect(report.examples.contains { !$0.isExplained && $0.cause == .code }, "seed \(seed)")
    }
  }

  @Test func `another definition, another ttl and a gone feature are named, and are no faults`() throws {
    var random = SplitMix64(seed: 7)
    var made = try Self.makeCase(&random, isRepartitioned: false)
    for index in made.vectors.indices { made.vectors[index].reads[0].features[0].fingerprint = "another" }
    for index in made.vectors.indices { made.vectors[index].reads[0].features[4].name = "gone" }
    // As if they had been counted otherwise.
    for index in made.vectors.indices { made.vectors[index].reads[0].features[0].value = .integer(-1) }
    let aged = made.vectors.indices.first { made.vectors[$0].reads[0].features[1].status == .present }
    if let aged {
      made.vectors[aged].reads[0].features[1].fingerprint = "another"
      made.vectors[aged].reads[0].features[1].status = .outsideMaxAge
      made.vectors[aged].reads[0].features[1].value = .null
    }
    let report = try Self.check(made.specification, made.store).run(made.vectors)
    let count = Int64(made.vectors.count)
    let version = report.total(.served).mismatches[.version] ?? 0
    #expect(version >= count && version <= 2 * count)
    #expect(report.tallies[.init(view: "v", name: "gone")]?[.served]?.mismatches == [.version: count])
    #expect(report.total(.served).mismatches[.ttl] ?? 0 >= (aged == nil ? 0 : 1))
    #expect(report.unexplained == 0)
  }

  @Test func `what the archive does not have yet is pending, and no mismatch`() throws {
    var random = SplitMix64(seed: 11)
    var made = try Self.makeCase(&random, isRepartitioned: false)
    for index in made.vectors.indices {
      made.vectors[index].reads[0].prefix.parts[0].nextOffset = 1_000_000
      made.vectors[index].reads[0].prefix.parts[0].wholeOffset = 1_000_000
    }
    let report = try Self.check(made.specification, made.store).run(made.vectors)
    #expect(report.pending == Int64(made.vectors.count * 5))
    #expect(report.total(.served).checked == 0)
  }

  @Test func `an event that came after the read is why all events give another value`() throws {
    let early = Event(
      key: 0, amount: 1, time: 1_000, known: 1_000, watermark: 1_000, position: .init(partition: 0, offset: 0))
    let late = Event(
      key: 0, amount: 2, time: 1_500, known: 9_000, watermark: 9_000, position: .init(partition: 0, offset: 1))
    let specification = try Self.specification(isRepartitioned: false)
    let store = MemoryBlobStore()
    try Self.write([early, late], to: store)
    let vector = Self.vector(
      specification, [early], key: 0, at: 2_000,
      .init(topic: "input", parts: [.init(partition: 0, wholeOffset: 1, nextOffset: 1)]))
    let report = try Self.check(specification, store).run([vector])
    #expect(report.total(.served).equal == 5)
    #expect(report.total(.training).equal == 5)
    #expect(report.total(.happened).mismatches.keys.elementsEqual([.late]))
    #expect(report.examples.allSatisfy { $0.explanation.contains("input/0 offset 1") })
  }

  @Test func `a read between two pieces of a commit may be of either`() throws {
    let first = Event(
      key: 0, amount: 1, time: 1_000, known: 1_000, watermark: 1_000, position: .init(partition: 0, offset: 0))
    let second = Event(
      key: 0, amount: 2, time: 1_500, known: 1_500, watermark: 1_500, position: .init(partition: 0, offset: 1))
    let specification = try Self.specification(isRepartitioned: true)
    let store = MemoryBlobStore()
    try Self.write([first, second], to: store)
    let prefix = LogPrefix(topic: "input", parts: [.init(partition: 0, wholeOffset: 1, nextOffset: 2)])
    for events in [[first], [first, second]] {
      let report = try Self.check(specification, store).run([
        Self.vector(specification, events, key: 0, at: 2_000, prefix)
      ])
      #expect(report.total(.served).equal == 5)
      #expect(report.unexplained == 0)
    }
    let neither = Self.vector(specification, [second], key: 0, at: 2_000, prefix)
    #expect(try Self.check(specification, store).run([neither]).unexplained > 0)
  }

  @Test func `vectors come back from their table as they were`() throws {
    var random = SplitMix64(seed: 3)
    var made = try Self.makeCase(&random, isRepartitioned: true)
    for index in made.vectors.indices {
      made.vectors[index].request = [.init(name: "amount", fingerprint: "", value: .double(bits: 1), status: .present)]
      made.vectors[index].reads[0].features[1].servedDefault = .integer(5)
    }
    let log = ServedLog(made.store)
    for vector in made.vectors { try log.append([vector], nowMilliseconds: 1_000) }
    let found = try ServedTable.read("s", in: made.store, from: nil, to: nil, limit: nil, made.specification)
    #expect(found.brokenRows == 0)
    let order = { (vector: ServedVector) in (vector.servedMilliseconds, vector.id) }
    let expected = made.vectors.sorted { order($0) < order($1) }
    #expect(
      ServedTable.batch(found.vectors).columns.map { column in (0..<column.count).map { column.value($0) } }
        == ServedTable.batch(
          expected.map { vector in
            var vector = vector
            vector.reads[0].features[1].servedDefault = .text("5")
            return vector
          }
        ).columns.map { column in (0..<column.count).map { column.value($0) } })
    let few = try ServedTable.read("s", in: made.store, from: nil, to: nil, limit: 3, made.specification)
    #expect(few.vectors.count == min(3, made.vectors.count))
    #expect(try ServedTable.subjects(in: made.store) == ["s"])
  }

  @Test func `a position is read back from its text, and nothing else is`() {
    let prefix = LogPrefix(
      topic: "a.b",
      parts: [
        .init(partition: 0, wholeOffset: 7, nextOffset: 7), .init(partition: 3, wholeOffset: 5, nextOffset: 9),
        .init(partition: 4, wholeOffset: nil, nextOffset: 2),
      ])
    #expect(prefix.text == "a.b 0:7 3:5-9 4:?-2")
    #expect(LogPrefix(text: prefix.text) == prefix)
    for text in ["", "a 0", "a 0:", "a 0:x", "a 0:9-5", "a 0:1-2-3", "a -1:3", "a 0:-3", "a 0:x-3", "a 99999999999:1"] {
      #expect(LogPrefix(text: text) == nil, "\(text)")
    }
  }
}

extension ParityTests {
  private static func check(_ specification: ParitySpecification, _ store: any BlobStore) -> ParityCheck {
    var configuration = ParityCheck.Configuration()
    configuration.eventBytesMax = 2_000
    configuration.examplesPerKind = 100
    return ParityCheck(specification, tables: store, configuration: configuration)
  }

  private static func specification(isRepartitioned: Bool) throws -> ParitySpecification {
    let point = try view()
    let view = ParitySpecification.View(
      point: point, fingerprints: point.features.map { "fingerprint of \($0.name)" }, topic: "input",
      isRepartitioned: isRepartitioned, table: "events/test",
      fields: [.init("key", .integer), .init("amount", .double)], joinKeys: ["key"], joinTypes: [.integer])
    return ParitySpecification(topology: "test", fingerprint: "plan", views: [view], onDemand: [], defaults: [:])
  }

  private static func view() throws -> PointInTimeView {
    let features = [
      FeatureDefinition(name: "count", function: .count, window: .sliding(length: 60_000)),
      FeatureDefinition(name: "sum", function: .sum, argument: 0, window: .sliding(length: 600_000)),
      FeatureDefinition(name: "mean", function: .mean, argument: 0, window: .sliding(length: 3_600_000)),
      FeatureDefinition(name: "last", function: .last, argument: 0, window: .sliding(length: 3_600_000)),
      FeatureDefinition(name: "all", function: .count, window: .lifetime),
    ]
    let layout = try ViewLayout(
      ViewDefinition(
        name: "v", inputs: [ViewInput(type: .double, canonicalText: "amount")], features: features,
        latenessMilliseconds: 60_000, ttlMilliseconds: 1_800_000))
    let fields: [ExpressionField] = [.init(name: "key", type: .integer), .init(name: "amount", type: .double)]
    return PointInTimeView(
      name: "v", scope: [.integer, .double], derived: [], filter: nil,
      inputs: [try ParsedExpression("amount").typed(in: fields)], keyColumns: [0], layout: layout,
      features: features.indices.map { ($0, features[$0].name, layout.featureTypes[$0].type) })
  }

  /// Random histories of two partitions, out of order; reads anywhere in the log, at times from the watermark on.
  private static func makeCase(_ random: inout SplitMix64, isRepartitioned: Bool) throws -> Case {
    let specification = try specification(isRepartitioned: isRepartitioned)
    var events: [Event] = []
    var watermarks: [Int64] = [.min, .min]
    var offsets: [Int64] = [0, 0]
    for step in 0..<Int64(20 + random.next() % 100) {
      let key = Int64(random.next() % 4)
      // Of a view that is not repartitioned a key has one partition.
      let partition = isRepartitioned ? Int(random.next() % 2) : Int(key % 2)
      let known = step * 30_000 + Int64(random.next() % 20_000)
      let time = known - [0, 0, 5, 40_000, 300_000][Int(random.next() % 5)]
      watermarks[partition] = max(watermarks[partition], min(time, known))
      events.append(
        Event(
          key: key, amount: Double(random.next() % 50) / 8, time: time, known: known, watermark: watermarks[partition],
          position: EventPosition(partition: Int32(partition), offset: offsets[partition])))
      offsets[partition] += 1
    }
    let store = MemoryBlobStore()
    try write(events, to: store)
    var vectors: [ServedVector] = []
    for _ in 0..<Int(1 + random.next() % 30) {
      let key = Int64(random.next() % 4)
      let partitions: [Int] = isRepartitioned ? [0, 1] : [Int(key % 2)]
      let ends = partitions.map { offsets[$0] == 0 ? 0 : Int64(random.next() % UInt64(offsets[$0] + 1)) }
      let seen = events.filter { event in
        zip(partitions, ends).contains { Int32($0) == event.position.partition && event.position.offset < $1 }
      }
      let time = (seen.map(\.watermark).max() ?? 0) + Int64(random.next() % 2_000_000)
      let prefix = LogPrefix(
        topic: "input",
        parts: zip(partitions, ends).map { .init(partition: Int32($0), wholeOffset: $1, nextOffset: $1) })
      vectors.append(vector(specification, seen.filter { $0.key == key }, key: key, at: time, prefix))
    }
    return Case(events: events, vectors: vectors, store: store, specification: specification)
  }

  /// What a row of these events says.
  private static func vector(
    _ specification: ParitySpecification, _ events: [Event], key: Int64, at time: Int64, _ prefix: LogPrefix
  ) -> ServedVector {
    let view = specification.views[0]
    let layout = view.point.layout
    var inputs = Column(.double)
    for event in events { inputs.append(event.amount) }
    var block = EventBlock(layout)
    block.load([inputs], rowCount: events.count)
    var row = FeatureRow(layout)
    for (index, event) in events.enumerated() {
      layout.apply(
        &row, events: block, index: index, eventTime: event.time, position: event.position,
        watermark: view.isRepartitioned ? .min : event.watermark)
    }
    var values: [FeatureValue] = []
    let positions = view.point.features.map(\.position)
    if events.isEmpty {
      layout.readMissing(features: positions, into: &values)
    } else {
      layout.read(row, at: time, watermark: .min, features: positions, into: &values)
    }
    let features = zip(view.point.features, values).enumerated().map { index, pair in
      ServedVector.Feature(
        name: pair.0.name, fingerprint: view.fingerprints[index], value: ServedValue(pair.1.value),
        status: pair.1.status)
    }
    let read = ServedVector.Read(
      view: "v", key: [("key", .integer(key))], readMilliseconds: time, watermarkMilliseconds: nil, prefix: prefix,
      features: features)
    return ServedVector(
      id: Int64.random(in: 0 ... .max), servedMilliseconds: time, service: "s", reads: [read], request: [],
      onDemand: [])
  }

  private static func write(_ events: [Event], to store: any BlobStore) throws {
    let fields = [OfflineTable.Field("key", .integer), .init("amount", .double)] + EventArchive.decisions
    let schema = try DeltaSchema(fields.map { DeltaField($0.name, DeltaType($0.type), isNullable: $0.isNullable) })
    var table = try DeltaTable.create(store, try BlobName("events/test"), schema: schema, nowMilliseconds: 0)
    var batch = ColumnBatch(fields.map(\.type))
    let topic = Array("input".utf8)
    let outcome = Array("applied".utf8)
    var before: [Int32: Int64] = [:]
    for event in events {
      batch.columns[0].append(event.key)
      batch.columns[1].append(event.amount)
      let partition = event.position.partition
      unsafe EventArchive.append(
        .init(
          eventTimeMilliseconds: event.time, knownMilliseconds: event.known, watermarkMilliseconds: before[partition],
          offset: event.position.offset), outcome: outcome.span.bytes, topic: topic.span.bytes, partition: partition,
        to: &batch, from: 2)
      before[partition] = event.watermark
      batch.rowCount += 1
    }
    let writer = try TableWriter(table)
    try writer.append(batch, nowMilliseconds: 0)
    let moves = [Int32(0), 1].map { partition in
      TransactionMove(
        applicationID: OfflineTable.applicationID(topology: "test", topic: "input", partition: partition), from: nil,
        to: Int64(events.count { $0.position.partition == partition }))
    }
    _ = try table.commit(.append(try writer.finish(nowMilliseconds: 0), moves: moves), nowMilliseconds: 0)
  }
}
