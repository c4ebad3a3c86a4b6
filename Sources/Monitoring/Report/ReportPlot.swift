internal import Core

/// A line over time as SVG: values, the band of their intervals, a limit, marks where it rang.
struct ReportPlot {
  private static let width = 420.0
  private static let height = 96.0
  private static let margin = (left: 46.0, right: 8.0, top: 8.0, bottom: 18.0)

  private let points: [DriftHistory.Point]
  private let values: ClosedRange<Double>
  private let times: ClosedRange<Int64>

  /// - Returns: nil without any finite value.
  init?(_ points: [DriftHistory.Point]) {
    let finite = points.filter(\.value.isFinite)
    guard let first = finite.first, let last = finite.last else { return nil }
    self.points = finite
    let all = finite.flatMap { [$0.value, $0.threshold, $0.lower, $0.upper].compactMap(\.self) }.filter(\.isFinite)
    let (low, high) = (min(all.min() ?? 0, 0), max(all.max() ?? 1, 1e-9))
    values = low...(high + (high - low) * 0.05)
    times = first.startMilliseconds...max(last.startMilliseconds, first.startMilliseconds + 1)
  }

  var svg: String {
    var svg = "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\">"
    svg += axis
    svg += band
    svg += limit
    svg += "<polyline class=\"line\" points=\"\(points.map { place($0, $0.value) }.joined(separator: " "))\"/>"
    for point in points {
      let time = RFC3339.text(milliseconds: point.startMilliseconds)
      svg +=
        "<circle class=\"\(point.isAlarm ? "alarm" : "dot")\" cx=\"\(x(point.startMilliseconds))\" "
        + "cy=\"\(y(point.value))\" r=\"\(point.isAlarm ? 3.5 : 1.6)\"><title>\(time): "
        + "\(Self.short(point.value))</title></circle>"
    }
    return svg + "</svg>"
  }

  private var axis: String {
    let bottom = Self.height - Self.margin.bottom
    let (first, last) = (day(times.lowerBound), day(times.upperBound))
    return "<line class=\"axis\" x1=\"\(Self.margin.left)\" y1=\"\(bottom)\" x2=\"\(Self.width - Self.margin.right)\" "
      + "y2=\"\(bottom)\"/>"
      + "<text x=\"\(Self.margin.left - 4)\" y=\"\(Self.margin.top + 8)\" text-anchor=\"end\">"
      + "\(Self.short(values.upperBound))</text>"
      + "<text x=\"\(Self.margin.left - 4)\" y=\"\(bottom)\" text-anchor=\"end\">"
      + "\(Self.short(values.lowerBound))</text>"
      + "<text x=\"\(Self.margin.left)\" y=\"\(Self.height - 4)\">\(first)</text>"
      + "<text x=\"\(Self.width - Self.margin.right)\" y=\"\(Self.height - 4)\" text-anchor=\"end\">\(last)</text>"
  }

  private var band: String {
    let banded = points.filter { point in
      guard let lower = point.lower, let upper = point.upper else { return false }
      return lower.isFinite && upper.isFinite && lower < upper
    }
    guard banded.count > 1 else { return "" }
    let above = banded.map { place($0, $0.upper ?? $0.value) }
    let below = banded.reversed().map { place($0, $0.lower ?? $0.value) }
    return "<polygon class=\"band\" points=\"\((above + below).joined(separator: " "))\"/>"
  }

  private var limit: String {
    guard let threshold = points.last?.threshold, values.contains(threshold) else { return "" }
    return "<line class=\"limit\" x1=\"\(Self.margin.left)\" y1=\"\(y(threshold))\" "
      + "x2=\"\(Self.width - Self.margin.right)\" y2=\"\(y(threshold))\"/>"
  }

  private func place(_ point: DriftHistory.Point, _ value: Double) -> String {
    "\(x(point.startMilliseconds)),\(y(value))"
  }

  private func x(_ time: Int64) -> Double {
    let part = Double(time - times.lowerBound) / Double(times.upperBound - times.lowerBound)
    return tenths(Self.margin.left + part * (Self.width - Self.margin.left - Self.margin.right))
  }

  private func y(_ value: Double) -> Double {
    let part = (value - values.lowerBound) / (values.upperBound - values.lowerBound)
    return tenths(Self.height - Self.margin.bottom - part * (Self.height - Self.margin.bottom - Self.margin.top))
  }

  private func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }

  private func day(_ time: Int64) -> String { String(RFC3339.text(milliseconds: time).prefix(16)) }

  /// Three figures.
  static func short(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
    var scale = 1.0
    while value.magnitude * scale < 100, scale < 1e12 { scale *= 10 }
    let rounded = (value * scale).rounded() / scale
    return rounded == rounded.rounded() && rounded.magnitude < 1e15 ? "\(Int64(rounded))" : "\(rounded)"
  }
}
