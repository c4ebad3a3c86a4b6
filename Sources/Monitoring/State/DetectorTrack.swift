internal import Core
internal import Drift

/// Looks at one column pane by pane: how far its mean lies from the reference's, in standard deviations of the
/// reference.
///
/// The state is what was seen: the detectors are made again from it. After so many panes that this takes long it begins
/// anew, at the same pane in every life of the process.
struct DetectorTrack: Sendable {
  private static let panesMaximum = 1_024
  /// CUSUM finds a shift of a quarter of a standard deviation within some panes; noise of panes of a hundred rows does
  /// not reach its allowance.
  private static let unit = 0.25

  private var seen: [Double] = []
  private var sum = CumulativeSum(mean: 0, standardDeviation: unit, allowance: 0.5, limit: 5)
  private var pageHinkley = PageHinkley(configuration)
  private var window = AdaptiveWindow(adaptive)

  private static var configuration: PageHinkley.Configuration {
    var configuration = PageHinkley.Configuration()
    configuration.minimumCount = 5
    configuration.tolerance = 0.1
    configuration.threshold = 1.5
    return configuration
  }

  private static var adaptive: AdaptiveWindow.Configuration {
    var configuration = AdaptiveWindow.Configuration()
    configuration.clock = 1
    return configuration
  }

  init() {}

  /// - Returns: the detectors that see a change.
  mutating func add(_ value: Double) -> [String] {
    guard value.isFinite else { return [] }
    if seen.count >= Self.panesMaximum { self = DetectorTrack() }
    seen.append(value)
    var found: [String] = []
    if sum.add(value) != nil { found.append("cusum") }
    if pageHinkley.add(value) { found.append("page_hinkley") }
    if window.add(value) { found.append("adwin") }
    return found
  }

  func write(to writer: inout ByteWriter) {
    writer.number(UInt32(clamping: seen.count))
    for value in seen { writer.number(value.bitPattern) }
  }

  init(from reader: inout ByteReader) throws(HeadraceError) {
    for _ in 0..<(try reader.elements(ofSize: 8)) { _ = add(try reader.double()) }
  }
}
