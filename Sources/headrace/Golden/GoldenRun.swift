internal import Columns
internal import Core
internal import Features
internal import OnlineStore
internal import Topology

/// Runs the cases of a golden file against a plan, each in all its variants.
struct GoldenRun {
  struct Failure: Sendable, Equatable {
    var place: String
    var message: String
    var variant: GoldenVariant
  }

  let plan: Plan
  let variants: [GoldenVariant]
  private(set) var cases = 0
  private(set) var expectations = 0
  private(set) var failures: [Failure] = []

  init(plan: Plan, variants: [GoldenVariant]) {
    self.plan = plan
    self.variants = variants
  }

  mutating func run(_ file: GoldenFile) throws(HeadraceError) {
    for golden in file.cases {
      cases += 1
      for variant in variants {
        do throws(HeadraceError) {
          try run(golden, variant, file: file.path)
        } catch {
          throw error.at("\(file.path):\(golden.line):")
        }
      }
    }
  }

  private mutating func run(_ golden: GoldenCase, _ variant: GoldenVariant, file: String) throws(HeadraceError) {
    let pipeline = try GoldenPipeline(plan)
    var stretch: [TimedEvent] = []
    var stretches = 0
    for step in golden.steps {
      if case .event(let event) = step.content {
        stretch.append(try timed(event, line: step.line))
        continue
      }
      try pipeline.apply(variant.arrange(stretch, stretch: stretches))
      stretches += 1
      stretch = []
      expectations += 1
      let found: [String]
      switch step.content {
      case .event: continue
      case .expectation(let expectation): found = try check(expectation, pipeline)
      // Other variants have other outcomes on purpose.
      case .counts(let counts): found = variant == .asWritten ? try check(counts, pipeline) : []
      }
      failures += found.map {
        Failure(place: "\(file):\(step.line)", message: "\(golden.name): \($0)", variant: variant)
      }
    }
    try pipeline.apply(variant.arrange(stretch, stretch: stretches))
  }

  /// The event with its time, key and source, as far as they can be read from it.
  private func timed(_ event: GoldenEvent, line: Int) throws(HeadraceError) -> TimedEvent {
    guard let index = plan.source(named: event.source) else {
      throw .golden(
        "line \(line): there is no source \"\(event.source)\"",
        remedy: "one of \(plan.sources.map(\.name).joined(separator: ", "))")
    }
    var source = try GoldenSource(plan.sources[index])
    let time = try source.decode(event.value)
    guard let timestamp = event.timestampMilliseconds ?? time else {
      throw .golden(
        "line \(line): the record has no event time, and no \"timestamp\"",
        remedy: "give a broken record the time at which it is written")
    }
    return TimedEvent(
      source: index, key: event.key ?? (time == nil ? nil : source.key), value: event.value,
      timestampMilliseconds: timestamp, latenessMilliseconds: source.plan.latenessMilliseconds,
      hasDeduplication: source.plan.dedupe != nil, mayMove: time != nil && event.timestampMilliseconds == nil)
  }

  private func check(
    _ expectation: GoldenExpectation, _ pipeline: GoldenPipeline
  ) throws(HeadraceError) -> [String] {
    guard let index = plan.view(named: expectation.view) else {
      throw .golden(
        "there is no view \"\(expectation.view)\"",
        remedy: "one of \(plan.views.map(\.name).joined(separator: ", "))")
    }
    let view = plan.views[index]
    let key = try EntityKeyText.encode(expectation.key, of: plan.entities[view.entity])
    let values = pipeline.read(view: index, key: key, at: expectation.atMilliseconds)
    let place = "\(view.name) \(expectation.key.joined(separator: ","))"
    var failures: [String] = []
    for (name, expected) in expectation.features {
      guard let feature = view.feature(named: name) else {
        throw .golden(
          "view \(view.name) has no feature \"\(name)\"",
          remedy: "one of \(view.features.map(\.name).joined(separator: ", "))")
      }
      let found = values[feature]
      if !expected.accepts(found.value) {
        let hint = found.flags.contains(.tile) ? "; newer events lie in the tile of that time" : ""
        failures.append("\(place) \(name): expected \(expected.text), found \(found.value.jsonText)\(hint)")
      }
    }
    guard let status = expectation.status else { return failures }
    let names = expectation.features.isEmpty ? view.features.map(\.name) : expectation.features.map(\.name)
    for name in names {
      guard let feature = view.feature(named: name) else { continue }
      let found = values[feature].status.rawValue
      if found != status { failures.append("\(place) \(name): expected \(status), found \(found)") }
    }
    return failures
  }

  private func check(_ counts: [GoldenCounts], _ pipeline: GoldenPipeline) throws(HeadraceError) -> [String] {
    var failures: [String] = []
    for expected in counts {
      guard let source = plan.source(named: expected.source) else {
        throw .golden("there is no source \"\(expected.source)\"")
      }
      let found = pipeline.outcomes(of: source)
      for (name, count) in expected.outcomes.sorted(by: { $0.key < $1.key }) {
        guard let outcome = GoldenOutcome(rawValue: name) else {
          throw .golden(
            "there is no outcome \"\(name)\"",
            remedy: "one of \(GoldenOutcome.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        if found[outcome, default: 0] != count {
          failures.append("\(expected.source) \(name): expected \(count), found \(found[outcome, default: 0])")
        }
      }
    }
    return failures
  }
}

/// Keys as people write them, by the types of the join keys.
enum EntityKeyText {
  static func encode(_ texts: [String], of entity: EntityPlan) throws(HeadraceError) -> EntityKey {
    var parts: [Value] = []
    for (index, text) in texts.enumerated() where index < entity.types.count {
      switch entity.types[index] {
      case .integer, .date, .timestamp:
        guard let number = Int64(text) else { throw unfit(text, entity) }
        parts.append(
          entity.types[index] == .integer
            ? .integer(number) : entity.types[index] == .date ? .date(number) : .timestamp(number))
      case .boolean: parts.append(.boolean(text == "true"))
      default: parts.append(.string(text))
      }
    }
    guard texts.count == entity.keys.count, let key = EntityKey.encode(parts) else {
      throw unfit(texts.joined(separator: ","), entity)
    }
    return key
  }

  private static func unfit(_ text: String, _ entity: EntityPlan) -> HeadraceError {
    .golden(
      "\"\(text)\" is no key of entity \(entity.name): \(entity.keys.joined(separator: ", ")) "
        + "(\(entity.types.map(\.description).joined(separator: ", ")))")
  }
}
