/// What `dev` shows, read at one moment.
struct DevSnapshot: Sendable, Equatable {
  /// Records of one source since the process began.
  struct Source: Sendable, Equatable {
    var name: String
    var topic: String
    var read: Int64 = 0
    /// Applied and repaired.
    var counted: Int64 = 0
    /// Filtered and deduplicated.
    var leftOut: Int64 = 0
    var late: Int64 = 0
    var deadLettered: Int64 = 0
  }

  struct View: Sendable, Equatable {
    var name: String
    var entity: String
    var source: String
    var features: [String]
  }

  /// A key that was seen just now, and some of its features as text.
  struct Sample: Sendable, Equatable {
    var view: String
    var key: String
    var values: [(name: String, text: String)]

    static func == (left: Sample, right: Sample) -> Bool {
      left.view == right.view && left.key == right.key && left.values.map(\.name) == right.values.map(\.name)
        && left.values.map(\.text) == right.values.map(\.text)
    }
  }

  var topology: String
  var bootstrap: String
  var address: String
  var sources: [Source] = []
  var views: [View] = []
  var samples: [Sample] = []
  var tasks = 0
  var readableTasks = 0
  /// Records that are in the log and not applied; nil while the log's ends are not known.
  var lagRecords: Int64?
  /// By how much event time is behind the newest record.
  var lagMilliseconds: Int64?
  /// The furthest event time; epoch milliseconds.
  var watermarkMilliseconds: Int64?
  var checkpointAgeMilliseconds: Int64?
  /// Why tasks stand still, each reason once.
  var obstacles: [String] = []
}
