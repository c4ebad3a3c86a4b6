internal import Columns
internal import Core

/// Turns a definition into regions, groups and slots.
///
/// The result is a function of what is computed, not of the order or the names in which features are written: equal
/// state has equal layout and so an equal fingerprint.
struct LayoutPlanner {
  let definition: ViewDefinition
  private(set) var record = RecordPlan()
  private(set) var regions: [RegionPlan] = []
  private(set) var tails: [WindowTail] = []
  private(set) var groups: [GroupPlan] = []
  private(set) var slots: [SlotPlan] = []
  private(set) var features: [FeaturePlan] = []
  /// What is computed, in words: the fingerprint's input.
  private(set) var canonicalText = ""

  init(_ definition: ViewDefinition) throws(HeadraceError) {
    self.definition = definition
    try validate()
    plan()
  }

  private mutating func plan() {
    let needs = RegionNeed.all(of: definition)
    var slotNeeds: [[GroupNeed]] = []
    for need in needs {
      let groupNeeds = GroupNeed.all(of: need.features.map { definition.features[$0] }, definition)
      for group in groupNeeds { addToRecord(group) }
      slotNeeds.append(groupNeeds)
    }
    for (need, groupNeeds) in zip(needs, slotNeeds) { addRegion(need, groupNeeds) }
    describe(needs, slotNeeds)
    for feature in definition.features {
      guard let region = needs.firstIndex(where: { $0.holds(feature.window) }) else { continue }
      features.append(featurePlan(feature, region, slotNeeds[region]))
    }
  }

  private mutating func addToRecord(_ group: GroupNeed) {
    if let filter = group.filter { _ = record.flag(.init(input: filter, isFilter: true)) }
    guard let argument = group.argument else { return }
    _ = record.flag(.init(input: argument, isFilter: false))
    for slot in group.slots { record.addLane(.init(input: argument, representation: slot.representation)) }
  }

  private mutating func addRegion(_ need: RegionNeed, _ groupNeeds: [GroupNeed]) {
    var cellBytes = need.keyBytes
    let firstGroup = groups.count
    let firstSlot = slots.count
    for group in groupNeeds { addGroup(group, &cellBytes) }
    let firstTail = tails.count
    tails += need.tails
    regions.append(
      RegionPlan(
        kind: need.kind, span: need.span, keyBytes: need.keyBytes, cellBytes: cellBytes,
        groups: firstGroup..<groups.count, windows: firstTail..<tails.count,
        usualCount: need.usualCount(lateness: definition.latenessMilliseconds),
        hasBlocks: slots[firstSlot...].contains { $0.kind.mayHaveBlock }))
  }

  private mutating func addGroup(_ need: GroupNeed, _ cellBytes: inout Int) {
    let filter = need.filter.map { record.flag(.init(input: $0, isFilter: true)) } ?? (0, 0)
    let argument = need.argument.map { record.flag(.init(input: $0, isFilter: false)) } ?? (0, 0)
    let countOffset = cellBytes
    cellBytes += 8
    let firstSlot = slots.count
    for slot in need.slots {
      let lane = need.argument.map { RecordPlan.Lane(input: $0, representation: slot.representation) }
      slots.append(
        SlotPlan(
          kind: slot.kind, representation: slot.representation, offset: cellBytes,
          valueOffset: lane.flatMap { record.offset(of: $0) } ?? 0,
          parameter: slot.parameter))
      cellBytes += slot.kind.sizeBytes
    }
    groups.append(
      GroupPlan(
        filterWord: filter.0, filterMask: filter.1, argumentWord: argument.0, argumentMask: argument.1,
        countOffset: countOffset, slots: firstSlot..<slots.count))
  }

  private func featurePlan(_ feature: FeatureDefinition, _ region: Int, _ groupNeeds: [GroupNeed]) -> FeaturePlan {
    let type = feature.argument.map { definition.inputs[$0].type }
    let wanted = SlotNeed.all(of: feature.function, argument: type)
    var plan = FeaturePlan(
      function: feature.function, window: feature.window, region: region,
      tail: WindowTail(length: feature.window.length, hop: feature.window.hop ?? 1), countOffset: 0,
      type: feature.function.resultType(argument: type) ?? FeatureType(.integer), scale: 0)
    if case .decimal(let scale)? = type { plan.scale = scale }
    for (index, need) in groupNeeds.enumerated()
    where need.filter == feature.filter && need.argument == feature.argument {
      let group = groups[regions[region].groups.lowerBound + index]
      plan.countOffset = group.countOffset
      for (position, slot) in zip(group.slots, need.slots) {
        if let first = wanted.first, first.isServed(by: slot) {
          plan.slot = slots[position]
        }
        if wanted.count > 1, wanted[1].isServed(by: slot) {
          plan.squares = slots[position]
        }
      }
    }
    return plan
  }

  private mutating func describe(_ needs: [RegionNeed], _ slotNeeds: [[GroupNeed]]) {
    canonicalText = "lateness \(definition.latenessMilliseconds)"
    canonicalText += definition.ttlMilliseconds.map { " ttl \($0)" } ?? ""
    for (need, groupNeeds) in zip(needs, slotNeeds) {
      canonicalText += "\n\(need.kind) \(need.span)"
      for tail in need.tails { canonicalText += " [\(tail.length) \(tail.hop)]" }
      for group in groupNeeds { canonicalText += "\n  \(group.canonicalText(definition))" }
    }
  }
}

extension Window {
  var length: Int64 {
    switch self {
    case .sliding(let length, _), .tumbling(let length): length
    case .lifetime, .session, .lastEvents: 0
    }
  }
}
