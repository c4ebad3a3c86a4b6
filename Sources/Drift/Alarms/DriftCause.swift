internal import Glibc

/// What a drift most probably comes from: a defect of the data, for a person who runs pipelines, or a change of the
/// world, for one who trains models.
package enum DriftCause: Sendable, Equatable {
  /// More events than before break the contract and are missing here.
  case contract(refusedShare: Double)
  /// A share of the values, mostly all, is multiplied by one constant: another unit.
  case unit(factor: Double, name: String, share: Double)
  /// Values are missing that were there before.
  case null(missingShare: Double)
  /// The source has stopped or lags: what is seen is old.
  case freshness(ageMilliseconds: Int64)
  /// All that comes from another source is missing or out of date, while events go on: that source has stopped.
  case stale(source: String, missingShare: Double)
  /// Categories flood in that the reference does not have, a new one in almost every row.
  case newCategories(share: Double, distinct: Int)
  /// Made from a field that is, or shortly was, a data bug of this class in another feature.
  case consequence(of: String, code: String)
  /// The distribution itself has moved.
  case realShift

  /// Training on such rows would teach the model the defect.
  package var isDataBug: Bool { self != .realShift }

  /// For programs: `contract`, `unit`, `null`, `freshness`, `new_categories`, `real_shift`.
  package var code: String {
    switch self {
    case .contract: "contract"
    case .unit: "unit"
    case .null: "null"
    case .freshness, .stale: "freshness"
    case .consequence(_, let code): code
    case .newCategories: "new_categories"
    case .realShift: "real_shift"
    }
  }
}

/// What the decision on a cause is made from.
package struct CauseSigns: Sendable {
  package var reference: FeatureProfile
  package var current: FeatureProfile
  /// Shares of the source's events that went to the dead-letter topic, in the two windows.
  package var refusedShareBefore = 0.0
  package var refusedShareNow = 0.0
  /// How old the newest event was at the end of the window, and how old it may be.
  package var newestEventAgeMilliseconds: Int64?
  package var expectedAgeMilliseconds: Int64?
  /// Another source that all of its features say has stopped; nil: none, or the feature is not made from it.
  package var staleSource: String?

  package init(reference: FeatureProfile, current: FeatureProfile) {
    self.reference = reference
    self.current = current
  }
}

extension DriftCause {
  /// Decides in a fixed order, from what falsifies everything else to what is left:
  ///
  /// 1. `freshness`: the newest event is older than three times what is expected. Nothing else is worth a look.
  /// 2. `contract`: the refused share rose by at least 5 points. The rows that are left are a selection.
  /// 3. `null`: the missing share rose by at least 5 points and at least doubled; `stale` when everything that is made
  ///    from the same other source is missing with it.
  /// 4. `unit`: a known factor between units, on all rows or on a part of them, maps the reference's distribution onto
  ///    the current one: see `UnitChange`.
  /// 5. `newCategories`: at least 10 % of the rows have a new category, and these are mostly different from each other
  ///    (more than one distinct in four rows, or more than the whole reference had): identifiers, an encoding, a typo.
  /// 6. `realShift`: everything else.
  package static func decide(_ signs: CauseSigns) -> DriftCause {
    if let age = signs.newestEventAgeMilliseconds, let expected = signs.expectedAgeMilliseconds,
      Double(age) > 3 * Double(max(expected, 0))
    {
      return .freshness(ageMilliseconds: age)
    }
    if signs.refusedShareNow - signs.refusedShareBefore >= 0.05 {
      return .contract(refusedShare: signs.refusedShareNow)
    }
    switch (signs.reference, signs.current) {
    case (.numeric(let reference), .numeric(let current)):
      if isSurge(reference.missingShare, current.missingShare) {
        if let source = signs.staleSource { return .stale(source: source, missingShare: current.missingShare) }
        return .null(missingShare: current.missingShare)
      }
      if let unit = UnitChange.find(reference, current) {
        return .unit(factor: unit.factor, name: unit.name, share: unit.share)
      }
    case (.categorical(let reference), .categorical(let current)):
      if isSurge(reference.missingShare, current.missingShare) { return .null(missingShare: current.missingShare) }
      if let flood = flood(reference, current) { return flood }
    default: break
    }
    return .realShift
  }

  /// Whether so many more are missing that it is no chance and no trend.
  package static func isSurge(_ before: Double, _ now: Double) -> Bool { now - before >= 0.05 && now >= 2 * before }

  private static func flood(_ reference: CategoryProfile, _ current: CategoryProfile) -> DriftCause? {
    guard current.count > 0, reference.isExact else { return nil }
    let known = Set(reference.categories.map(\.name))
    let knownRows = current.categories.reduce(0) { $0 + (known.contains($1.name) ? $1.count : 0) }
    let newRows = current.count - knownRows
    let share = Double(newRows) / Double(current.count)
    let stillSeen = current.categories.count { known.contains($0.name) }
    let distinct = max(current.distinct.estimate - stillSeen, 0)
    guard share >= 0.1, distinct * 4 > newRows || distinct > known.count else { return nil }
    return .newCategories(share: share, distinct: distinct)
  }
}
