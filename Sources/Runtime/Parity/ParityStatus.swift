package import OfflineStore

/// How served values compared so far, in this process.
package struct ParityStatus: Sendable {
  /// By feature: values that were made again, whatever came of it.
  package var checked: [ParityReport.Feature: Int64] = [:]
  package var mismatches: [Mismatch: Int64] = [:]
  /// The newest last.
  package var examples: [ParityReport.Example] = []
  /// Vectors that were logged, and such that could not be because too many came at once or the tables failed.
  package var sampled: Int64 = 0
  package var dropped: Int64 = 0
  /// Vectors that wait for the archive.
  package var waiting = 0
  /// Values of which nothing can be said.
  package var uncertain: Int64 = 0
  package var failure: String?

  package init() {}

  package struct Mismatch: Hashable, Sendable, Comparable {
    package var feature: ParityReport.Feature
    package var cause: ParityReport.Cause

    package init(feature: ParityReport.Feature, cause: ParityReport.Cause) {
      self.feature = feature
      self.cause = cause
    }

    package static func < (left: Self, right: Self) -> Bool {
      (left.feature, left.cause.rawValue) < (right.feature, right.cause.rawValue)
    }
  }

  private static let examplesMax = 50

  mutating func add(_ report: ParityReport) {
    uncertain &+= report.uncertain
    for (feature, tallies) in report.tallies {
      checked[feature, default: 0] &+= tallies[.served]?.checked ?? 0
      // Against all that happened nearly everything differs that is late: that is no skew, and not counted here.
      for comparison in [ParityReport.Comparison.served, .training] {
        for (cause, count) in tallies[comparison]?.mismatches ?? [:] {
          mismatches[Mismatch(feature: feature, cause: cause), default: 0] &+= count
        }
      }
    }
    examples += report.examples.filter { $0.comparison != .happened }
    examples.removeFirst(max(examples.count - Self.examplesMax, 0))
  }
}
