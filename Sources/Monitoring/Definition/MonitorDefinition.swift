internal import Core
package import Drift

/// What a monitor watches, without a word about topics: all that its state machine needs.
package struct MonitorDefinition: Sendable {
  /// A figure of a model's quality and what it must keep to.
  package struct Bound: Sendable, Equatable {
    /// `auc`, `log_loss`, `brier`, `accuracy`, `precision`, `recall`, `f1`, `rmse`, `mae`, `r2`.
    package var metric: String
    package var minimum: Double?
    package var maximum: Double?

    package init(metric: String, minimum: Double?, maximum: Double?) {
      self.metric = metric
      self.minimum = minimum
      self.maximum = maximum
    }

    package func isBroken(by value: Double) -> Bool {
      minimum.map { value < $0 } ?? false || maximum.map { value > $0 } ?? false
    }
  }

  /// Where the truth comes from, as far as time is concerned.
  package struct Label: Sendable, Equatable {
    /// A label may come so long after its prediction, in event time.
    package var withinMilliseconds: Int64
    package var latenessMilliseconds: Int64
    /// Whether labels are yes or no, and scores probabilities; else both are numbers.
    package var isBinary: Bool
    /// A score from here on up is a yes.
    package var threshold: Double

    package init(withinMilliseconds: Int64, latenessMilliseconds: Int64, isBinary: Bool, threshold: Double = 0.5) {
      self.withinMilliseconds = withinMilliseconds
      self.latenessMilliseconds = latenessMilliseconds
      self.isBinary = isBinary
      self.threshold = threshold
    }
  }

  package var name: String
  package var model: String
  /// Of the predictions: evidence names it.
  package var topic = ""
  /// Columns of the rows: the model's features as far as predictions carry them, then `prediction`.
  package var columns: [String]
  /// What each column is made from, for the causes of alarms; empty: nothing is known.
  package var origins: [ColumnOrigin] = []
  package var windowMilliseconds: Int64
  /// How far behind the newest event of its partition a prediction may come.
  package var latenessMilliseconds: Int64 = 0
  /// What is computed, and from where on it is an alarm.
  package var tests: [(test: DriftTest, limit: Double)]
  package var bounds: [Bound] = []
  package var reference = MonitorReference.trailing(windows: 7)
  package var falseDiscoveryRate = 0.01
  package var minimumRowCount = 200
  /// An alarm is over after so many windows in a row inside its limits.
  package var resolveAfterWindows = 3
  /// Fields of the events by which rows are told apart: `carrier`.
  package var segments: [String] = []
  package var label: Label?
  /// What broke its contract is counted from the dead letters, as the events themselves are not read.
  package var readsDeadLetters = false
  package var knownChanges: [KnownChange] = []

  package init(
    name: String, model: String, columns: [String], windowMilliseconds: Int64,
    tests: [(test: DriftTest, limit: Double)]
  ) {
    self.name = name
    self.model = model
    self.columns = columns
    self.windowMilliseconds = max(windowMilliseconds, 1)
    self.tests = tests
  }

  /// Panes are what detectors look at: aligned parts of a window, so that a change is seen before the window is over.
  package var paneMilliseconds: Int64 {
    for parts: Int64 in [12, 10, 6, 5, 4, 3, 2] where windowMilliseconds % parts == 0 {
      return windowMilliseconds / parts
    }
    return windowMilliseconds
  }

  /// The last column.
  static let predictionColumn = "prediction"

  /// What a digest is of: a day, or a window that is longer.
  var digestMilliseconds: Int64 { max(windowMilliseconds, 86_400_000) }

  func origin(of column: String) -> ColumnOrigin? {
    columns.firstIndex(of: column).flatMap { origins.indices.contains($0) ? origins[$0] : nil }
  }

  /// Predictions have to be brought together with their events.
  package var needsEvents: Bool { label != nil || !segments.isEmpty }

  private static let missingLimit = 0.1

  var policy: AlarmPolicy {
    var effects: [DriftTest: Double] = [:]
    for (test, limit) in tests where test.isEffect { effects[test] = limit }
    if effects.isEmpty { effects = AlarmPolicy().effects }
    // What is missing leaves no trace in the distribution of what is there.
    if effects[.missing] == nil { effects[.missing] = Self.missingLimit }
    return AlarmPolicy(
      falseDiscoveryRate: falseDiscoveryRate, effects: effects, minimumRowCount: minimumRowCount)
  }

  /// Of all that decides what the state means: a state under another fingerprint is of no use.
  package var fingerprint: UInt64 {
    var writer = ByteWriter()
    for text in [name, model] + columns + ["|"] + segments { writer.text(text) }
    for number in [windowMilliseconds, latenessMilliseconds, Int64(minimumRowCount)] { writer.number(number) }
    writer.text("\(reference)")
    writer.number(readsDeadLetters ? 1 as UInt8 : 0)
    if let label {
      writer.number(label.withinMilliseconds)
      writer.number(label.latenessMilliseconds)
      writer.number(label.isBinary ? 1 as UInt8 : 0)
    }
    return unsafe Hash64.hash(writer.bytes.span.bytes)
  }
}

/// What a window is compared with.
package enum MonitorReference: Sendable, Equatable {
  /// The last so many windows that gave no alarm.
  case trailing(windows: Int)
  /// The window that began so much earlier: 604,800,000 is the same hour last week.
  case earlier(milliseconds: Int64)
  /// Rows from outside, by their name: a training set.
  case given(name: String)

  var isGiven: Bool { if case .given = self { true } else { false } }
}

/// A change that is expected: a sale, a holiday, a deployment. Alarms of its time are noted and do not ring.
package struct KnownChange: Sendable, Equatable {
  package var startMilliseconds: Int64
  package var endMilliseconds: Int64
  package var about: String

  package init(startMilliseconds: Int64, endMilliseconds: Int64, about: String) {
    self.startMilliseconds = startMilliseconds
    self.endMilliseconds = endMilliseconds
    self.about = about
  }
}

extension DriftTest {
  /// Whether a greater score is a larger change; p-values are not.
  var isEffect: Bool {
    switch self {
    case .chiSquared, .kolmogorovSmirnovPValue, .shareTest: false
    default: true
    }
  }
}
