/// How often each feature was what it should be, and why not.
package struct ParityReport: Sendable {
  /// What a served value is held against.
  package enum Comparison: String, Sendable, CaseIterable {
    /// The value of the same records, made again: nothing but a fault or another definition can make a difference.
    case served
    /// The value of a training set at the same time: of events that had happened and were known.
    case training
    /// The value of all events that had happened, also of those that came later.
    case happened
  }

  /// Why a value differs.
  package enum Cause: String, Sendable, CaseIterable {
    /// Events of earlier times came after the read.
    case late
    /// Events were in the log, and not yet in the row.
    case unapplied
    /// The row had events that happened, or became known, after the time that was asked for.
    case ahead
    /// Events lie in a partition where their key does not belong.
    case misplaced
    /// One of both is past the view's `ttl`.
    case ttl
    /// The definition is another one now.
    case version
    /// Nothing explains it: a fault.
    case code
  }

  package struct Feature: Sendable, Hashable, Comparable {
    /// The view's name; the service's of what is computed for a request.
    package var view: String
    package var name: String

    package init(view: String, name: String) {
      self.view = view
      self.name = name
    }

    package static func < (left: Self, right: Self) -> Bool { (left.view, left.name) < (right.view, right.name) }
  }

  package struct Tally: Sendable {
    package var checked: Int64 = 0
    package var equal: Int64 = 0
    package var mismatches: [Cause: Int64] = [:]

    package init() {}
  }

  /// One mismatch, so that a person can look at it.
  package struct Example: Sendable {
    package var comparison: Comparison
    package var cause: Cause
    package var feature: Feature
    package var service: String?
    package var entity: String
    package var readMilliseconds: Int64
    package var position: String
    package var served: String
    package var recomputed: String
    /// A sentence.
    package var explanation: String
    /// False of a fault: the definition is the same, and the value is not.
    package var isExplained: Bool
  }

  package var vectors: Int64 = 0
  /// Values whose records the archive does not have yet.
  package var pending: Int64 = 0
  /// Values of reads that cannot be told apart from another state of the row, or whose source is not archived.
  package var uncertain: Int64 = 0
  /// Rows of the table that make no sense.
  package var brokenRows = 0
  package private(set) var tallies: [Feature: [Comparison: Tally]] = [:]
  /// At most some for each feature, comparison and cause.
  package private(set) var examples: [Example] = []
  package private(set) var unexplained: Int64 = 0
  private var exampleCounts: [ExampleKind: Int] = [:]

  private struct ExampleKind: Hashable {
    var feature: Feature
    var comparison: Comparison
    var cause: Cause
  }

  private let examplesPerKind: Int

  package init(examplesPerKind: Int = 1) { self.examplesPerKind = examplesPerKind }

  mutating func noteEqual(_ feature: Feature, _ comparison: Comparison) {
    tallies[feature, default: [:]][comparison, default: Tally()].checked += 1
    tallies[feature, default: [:]][comparison, default: Tally()].equal += 1
  }

  mutating func note(_ example: Example) {
    tallies[example.feature, default: [:]][example.comparison, default: Tally()].checked += 1
    tallies[example.feature, default: [:]][example.comparison, default: Tally()].mismatches[
      example.cause, default: 0] += 1
    if !example.isExplained { unexplained += 1 }
    let kind = ExampleKind(feature: example.feature, comparison: example.comparison, cause: example.cause)
    guard exampleCounts[kind, default: 0] < examplesPerKind else { return }
    exampleCounts[kind, default: 0] += 1
    examples.append(example)
  }

  /// The sum over all features.
  package func total(_ comparison: Comparison) -> Tally {
    tallies.values.reduce(into: Tally()) { sum, tallies in
      guard let tally = tallies[comparison] else { return }
      sum.checked += tally.checked
      sum.equal += tally.equal
      sum.mismatches.merge(tally.mismatches, uniquingKeysWith: +)
    }
  }
}
