/// Durations as topologies write them: a whole number and a unit, `500ms`, `30s`, `10m`, `24h`, `7d`, `2w`.
package enum DurationText {
  private static let units: [(name: String, milliseconds: Int64)] = [
    ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
  ]

  /// The units, for messages.
  package static let unitNames = "ms, s, m, h, d or w"

  /// Milliseconds of `30m`; nil when it is no duration or does not fit into 64 bits.
  package static func milliseconds(_ text: some StringProtocol) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int64(digits), let scale = scale(of: text.dropFirst(digits.count))
    else { return nil }
    let (product, overflow) = count.multipliedReportingOverflow(by: scale)
    return overflow ? nil : product
  }

  /// The shortest whole form: 3,600,000 is `1h`, 5,400,000 is `90m`.
  package static func text(milliseconds: Int64) -> String {
    let unit = units.first { milliseconds != 0 && milliseconds % $0.milliseconds == 0 } ?? ("ms", 1)
    return "\(milliseconds / unit.milliseconds)\(unit.name)"
  }

  private static func scale(of unit: some StringProtocol) -> Int64? {
    units.first { $0.name == unit }?.milliseconds
  }
}
