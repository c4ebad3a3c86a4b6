internal import Columns

/// Features that models read of each row, ordered by what they share.
package struct GatherPlan: Sendable {
  struct Member: Sendable {
    /// A position in the layout's features.
    var feature: Int
    /// Where its number goes.
    var place: Int
  }

  /// Of equal windows over the same cells, by slot.
  fileprivate(set) var groups: [[Member]] = []
  /// Derived features: expressions over one row.
  fileprivate(set) var derived: [Member] = []
  /// Distinct sets that features count, each once.
  fileprivate(set) var distinctSets: [DistinctSource] = []
  /// Numbers of a row.
  package let count: Int

  struct DistinctSource: Sendable {
    var region: Int
    var slot: SlotPlan
    var group: GroupPlan
  }

  /// The number of what is not retained any more: a NaN, as a null is, that says why.
  package static var notRetained: Double { Double(nan: 1, signaling: false) }

  package static func isNotRetained(_ number: Double) -> Bool { number.bitPattern == notRetained.bitPattern }
}

extension ViewLayout {
  /// - Parameter features: positions as in `read`; their numbers come in this order.
  package func gatherPlan(of features: [Int]) -> GatherPlan {
    var plan = GatherPlan(count: features.count)
    for (place, index) in features.enumerated() {
      let member = GatherPlan.Member(feature: index, place: place)
      guard index < self.features.count else {
        plan.derived.append(member)
        continue
      }
      let feature = self.features[index]
      let group = plan.groups.firstIndex { group in
        let other = self.features[group[0].feature]
        return other.region == feature.region && other.window == feature.window && other.tail == feature.tail
      }
      if let group { plan.groups[group].append(member) } else { plan.groups.append([member]) }
    }
    for group in plan.groups.indices {
      plan.groups[group].sort { (slot($0), $0.place) < (slot($1), $1.place) }
    }
    for index in features where index < self.features.count { addDistinctSet(self.features[index], to: &plan) }
    return plan
  }

  private func addDistinctSet(_ feature: FeaturePlan, to plan: inout GatherPlan) {
    guard case .countDistinct = feature.function, let slot = feature.slot, regions[feature.region].kind == .tiles,
      !plan.distinctSets.contains(where: { $0.region == feature.region && $0.slot.offset == slot.offset }),
      let group = regions[feature.region].groups.first(where: { groups[$0].countOffset == feature.countOffset })
    else { return }
    plan.distinctSets.append(.init(region: feature.region, slot: slot, group: groups[group]))
  }

  /// Says what the event that was applied last added to the sets of its row, before they are looked at.
  ///
  /// - Parameter index: of the event in the block.
  package func noteAdditions(
    of events: borrowing EventBlock, _ index: Int, eventTime: Int64, _ plan: borrowing GatherPlan,
    _ unions: inout DistinctUnions
  ) {
    unions.forgetAdditions()
    let record = events.record(index)
    for set in plan.distinctSets.indices {
      let source = plan.distinctSets[set]
      guard
        events.flags(record, word: source.group.filterWord) & source.group.filterMask == source.group.filterMask,
        events.flags(record, word: source.group.argumentWord) & source.group.argumentMask == source.group.argumentMask
      else { continue }
      unions.note(
        .init(
          region: source.region, slot: source.slot.offset,
          tile: eventTime.flooredSaturating(regions[source.region].span),
          hash: events.hash(source.slot.representation, record + source.slot.valueOffset)))
    }
  }

  private func slot(_ member: GatherPlan.Member) -> Int { features[member.feature].slotOffset }

  /// Writes features as numbers, for models: null and what is no number is NaN, what is not retained any more
  /// `GatherPlan.notRetained`.
  ///
  /// - Parameters:
  ///   - watermark: decides what is still retained, as in `read`.
  ///   - unions: of the rows of this layout; the row is the one that was selected.
  ///   - numbers: as many as the plan has.
  package func gather(
    _ row: borrowing FeatureRow, at time: Int64, watermark: Int64, _ plan: borrowing GatherPlan,
    _ unions: inout DistinctUnions, into numbers: UnsafeMutableBufferPointer<Double>
  ) {
    guard status(row, at: time) == .present else { return unsafe numbers.update(repeating: .nan) }
    for group in plan.groups.indices {
      unsafe gather(row, at: time, watermark: watermark, plan.groups[group], &unions, into: numbers)
    }
    for member in plan.derived {
      let value = readDerived(
        row, member.feature - features.count, at: time, watermark: watermark, eventTime: nil)
      unsafe numbers[member.place] = value.value.number ?? .nan
    }
  }

  private func gather(
    _ row: borrowing FeatureRow, at time: Int64, watermark: Int64, _ group: [GatherPlan.Member],
    _ unions: inout DistinctUnions, into numbers: UnsafeMutableBufferPointer<Double>
  ) {
    let first = group[0].feature
    // A window that lies behind what is retained would depend on what is dropped already.
    if time < watermark,
      isBeforeHorizon(features[first], at: time, newest: row.newestEventTime, watermark: watermark)
    {
      for index in group.indices { unsafe numbers[group[index].place] = GatherPlan.notRetained }
      return
    }
    let cells = cells(row, features[first], at: time)
    var totals = CellTotals()
    for index in group.indices {
      let member = group[index]
      if case .countDistinct = features[member.feature].function, regions[features[first].region].kind == .tiles {
        unsafe numbers[member.place] = Double(unions.count(row, cells, features[member.feature]))
      } else {
        unsafe numbers[member.place] = number(row, features[member.feature], cells, at: time, &totals) ?? .nan
      }
    }
  }
}
