internal import Core

/// What a monitor told in `headrace.drift`, as far as a policy wants to know it; and what a policy made of it.
package struct DriftEvent: Sendable, Equatable {
  package enum Content: Sendable, Equatable {
    /// A window is over, with the alarms that are outside their limits in it: new ones, and those that go on.
    case window(alarms: [Alarm])
    /// Bounds of all rows that are broken.
    case performance(brokenBounds: [String])
    /// A policy has passed over alarms: it does so once.
    case ignored
  }

  package struct Alarm: Sendable, Equatable {
    /// Of the event that opened it.
    package var id: String
    package var feature: String
    package var cause: String
    package var isDataBug: Bool
    package var isMuted: Bool
    /// Versions that said what a prediction is compared with.
    package var referenceVersions: Set<Int>

    package init(
      id: String, feature: String, cause: String, isDataBug: Bool, isMuted: Bool, referenceVersions: Set<Int> = []
    ) {
      self.id = id
      self.feature = feature
      self.cause = cause
      self.isDataBug = isDataBug
      self.isMuted = isMuted
      self.referenceVersions = referenceVersions
    }
  }

  /// The same for the same finding, however often it is told.
  package var id: String
  package var monitor: String
  package var startMilliseconds: Int64
  package var endMilliseconds: Int64
  /// Registered versions that scored rows of the window; empty where none is known.
  package var versions: Set<Int> = []
  package var content: Content

  package init(
    id: String, monitor: String, startMilliseconds: Int64, endMilliseconds: Int64, versions: Set<Int> = [],
    content: Content
  ) {
    self.id = id
    self.monitor = monitor
    self.startMilliseconds = startMilliseconds
    self.endMilliseconds = endMilliseconds
    self.versions = versions
    self.content = content
  }

  /// - Parameter bytes: the data of the event: one JSON object.
  /// - Returns: nil for what says nothing to a policy, or what a newer program wrote.
  package init?(json bytes: [UInt8]) {
    guard bytes.count <= Self.bytesMax, let document = try? JSONDocument(bytes, depthMax: 16),
      let id = document["id"]?.string, let monitor = document["monitor"]?.string,
      let start = document["window"]?["start"]?.string.flatMap(RFC3339.milliseconds),
      let end = document["window"]?["end"]?.string.flatMap(RFC3339.milliseconds),
      let content = Self.content(document)
    else { return nil }
    self.init(
      id: id, monitor: monitor, startMilliseconds: start, endMilliseconds: end,
      versions: Self.versions(document["window"]), content: content)
  }

  private static let bytesMax = 4 << 20

  private static func content(_ document: JSONDocument) -> Content? {
    switch document["kind"]?.string {
    case "window":
      guard case .array(let features)? = document["features"]?.content else { return nil }
      return .window(alarms: features.compactMap { $0["evidence"].flatMap(alarm) })
    case "performance":
      // A segment alone retrains nothing: its rows are too few to say so.
      guard document["segment"].map(\.isNull) ?? true, case .array(let bounds)? = document["broken_bounds"]?.content
      else { return nil }
      return .performance(brokenBounds: bounds.compactMap(\.string))
    case "retraining": return document["what"]?.string == "ignored" ? .ignored : nil
    default: return nil
    }
  }

  /// `{"1": 480, "2": 20}`.
  private static func versions(_ place: JSONDocument?) -> Set<Int> {
    guard case .object(let members)? = place?["versions"]?.content else { return [] }
    return Set(members.compactMap { Int($0.name) })
  }

  private static func alarm(_ evidence: JSONDocument) -> Alarm? {
    guard let id = evidence["alarm_id"]?.string, let feature = evidence["feature"]?.string,
      let cause = evidence["cause"], let code = cause["class"]?.string
    else { return nil }
    return Alarm(
      id: id, feature: feature, cause: code, isDataBug: cause["data_bug"]?.boolean ?? false,
      isMuted: evidence["muted_by"].map { !$0.isNull } ?? false, referenceVersions: versions(evidence["reference"]))
  }
}
