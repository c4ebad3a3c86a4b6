extension MonitorReferencePlan {
  /// For people: `trailing 7 windows`, `7d earlier`, `dataset late@3`.
  package var text: String {
    switch self {
    case .trailing(let windows): "trailing \(windows) windows"
    case .earlier(let milliseconds): "\(DurationLiteral.text(milliseconds)) earlier"
    case .dataset(let dataset): "dataset \(dataset)"
    }
  }
}
