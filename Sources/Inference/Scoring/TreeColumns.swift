internal import CKernels
internal import Core

/// What the trees of an ensemble compare: the thresholds of each feature, and the columns of codes made of them.
struct TreeColumns {
  /// A column of codes: 255 ranks of one feature, with its rule for missing values.
  struct RankKey: Hashable {
    var feature: Int
    var window: Int
    var missingGoesRight: Bool
    var zeroIsMissing: Bool
  }

  /// A column that says left or right by itself.
  struct TestKey: Hashable {
    var feature: Int
    var valueBits: UInt32
    var zeroIsMissing: Bool
    var missingGoesRight: Bool
    var equalGoesRight: Bool
    var otherGoesRight: Bool
  }

  struct ZeroKey: Hashable {
    var feature: Int
    var missingGoesRight: Bool
  }

  static let ranksOfWindow = 255
  /// Five levels of 16 children.
  static let thresholdsMax = (1 << 20) - 1

  /// Ascending, by feature.
  private(set) var thresholds: [Int: [Float]] = [:]
  private(set) var rankColumns: [RankKey: Int] = [:]
  private(set) var orderedRankKeys: [RankKey] = []
  private(set) var tests: [TestKey: Int] = [:]
  private(set) var orderedTests: [TestKey] = []
  private(set) var zeroColumns: [ZeroKey: Int] = [:]
  private(set) var orderedZeroKeys: [ZeroKey] = []
  private(set) var categoryFeatures: [Int: Int] = [:]
  private(set) var orderedCategories: [(feature: Int, known: [Int32])] = []

  init(_ ensemble: TreeEnsemble) throws(HeadraceError) {
    var known: [Int: [Int32]] = [:]
    for tree in ensemble.trees {
      for case .split(let split, _, _) in tree.nodes { collect(split, &known) }
    }
    for (feature, values) in thresholds {
      let sorted = Self.sortedUnique(values)
      guard sorted.count <= Self.thresholdsMax else {
        throw ModelFault.tooLarge("\(sorted.count) thresholds of feature \(feature), at most \(Self.thresholdsMax)")
      }
      thresholds[feature] = sorted
    }
    for feature in known.keys.sorted() {
      let members = CategorySet(known[feature] ?? []).members
      guard members.count <= ModelLimit.categoriesOfFeatureMax else {
        throw ModelFault.tooLarge("\(members.count) categories of feature \(feature)")
      }
      categoryFeatures[feature] = orderedCategories.count
      orderedCategories.append((feature, members))
    }
    nameColumns(ensemble)
  }

  private mutating func collect(_ split: Split, _ known: inout [Int: [Int32]]) {
    switch split.test {
    case .atMost(let threshold):
      thresholds[split.feature, default: []].append(threshold)
      if split.zeroIsMissing {
        let key = ZeroKey(feature: split.feature, missingGoesRight: !split.missingGoesLeft)
        if zeroColumns[key] == nil {
          zeroColumns[key] = orderedZeroKeys.count
          orderedZeroKeys.append(key)
        }
      }
    case .equals, .isPresent:
      guard let key = Self.testKey(split), tests[key] == nil else { return }
      tests[key] = orderedTests.count
      orderedTests.append(key)
    case .isMember(let set): known[split.feature, default: []] += set.members
    }
  }

  private static func sortedUnique(_ values: [Float]) -> [Float] {
    var unique: [Float] = []
    for value in values.sorted() where unique.last != value { unique.append(value) }
    return unique
  }

  /// Columns of one feature stand side by side.
  private mutating func nameColumns(_ ensemble: TreeEnsemble) {
    var keys: Set<RankKey> = []
    for tree in ensemble.trees {
      for case .split(let split, _, _) in tree.nodes {
        if let (key, _) = rank(of: split) { keys.insert(key) }
      }
    }
    orderedRankKeys = keys.sorted { Self.order($0) < Self.order($1) }
    for (index, key) in orderedRankKeys.enumerated() { rankColumns[key] = index }
  }

  private static func order(_ key: RankKey) -> (Int, Int, Int) {
    (key.feature, key.window, (key.missingGoesRight ? 1 : 0) + (key.zeroIsMissing ? 2 : 0))
  }

  /// The column of a threshold, and its rank there.
  func rank(of split: Split) -> (key: RankKey, rank: Int)? {
    guard case .atMost(let threshold) = split.test, let sorted = thresholds[split.feature] else { return nil }
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < threshold { low = middle + 1 } else { high = middle }
    }
    let key = RankKey(
      feature: split.feature, window: low / Self.ranksOfWindow, missingGoesRight: !split.missingGoesLeft,
      zeroIsMissing: split.zeroIsMissing)
    return (key, low % Self.ranksOfWindow)
  }

  static func testKey(_ split: Split) -> TestKey? {
    var key = TestKey(
      feature: split.feature, valueBits: 0, zeroIsMissing: split.zeroIsMissing,
      missingGoesRight: !split.missingGoesLeft, equalGoesRight: false, otherGoesRight: false)
    switch split.test {
    case .equals(let value):
      key.valueBits = value.bitPattern
      key.otherGoesRight = true
    case .isPresent: break
    case .atMost, .isMember: return nil
    }
    return key
  }
}
