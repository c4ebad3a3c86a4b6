internal import ArgumentParser
internal import Contracts
internal import Core

/// `500`, `20k`, `1.5M/s`; 0 is as fast as possible.
struct EventRate: ExpressibleByArgument, Equatable {
  var perSecond: Double

  init(perSecond: Double) { self.perSecond = perSecond }

  init?(argument: String) {
    let zero = argument.hasSuffix("/s") ? String(argument.dropLast(2)) : argument
    if zero == "0" {
      perSecond = 0
    } else if let rate = PublishRate(argument: argument) {
      perSecond = rate.recordsPerSecond
    } else {
      return nil
    }
  }

  var defaultValueDescription: String { "\(Int(perSecond))" }
}

/// `500`, `100k`, `2M`: a whole number.
struct EventCount: ExpressibleByArgument, Equatable {
  var count: Int64

  init(count: Int64) { self.count = count }

  init?(argument: String) {
    let scale: Int64 = argument.last.flatMap { ["k": 1_000, "M": 1_000_000][$0] } ?? 1
    guard let number = Int64(scale == 1 ? argument : String(argument.dropLast())), number >= 0 else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: scale)
    guard !overflow else { return nil }
    count = product
  }

  var defaultValueDescription: String { "\(count)" }
}

/// `50k`, `10m`, `10m:1.5`: after so many events or so much event time, by which factor.
struct DriftOption: ExpressibleByArgument, Equatable {
  var drift: PaymentsGenerator.Drift

  init?(argument: String) {
    let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    // Minutes first: `10m` is a duration, `10M` ten million events.
    let beginning: PaymentsGenerator.Drift.Beginning
    if let milliseconds = Quantity.milliseconds(parts[0]) {
      beginning = .milliseconds(milliseconds)
    } else if let events = EventCount(argument: parts[0]) {
      beginning = .event(events.count)
    } else {
      return nil
    }
    drift = .init(beginning: beginning)
    guard parts.count == 2 else { return }
    guard let factor = Double(parts[1]), factor > 0, factor <= 1_000 else { return nil }
    drift.amountFactor = factor
  }
}

/// RFC 3339, a day, or epoch milliseconds; after 1970.
struct StartTime: ExpressibleByArgument, Equatable {
  var milliseconds: Int64

  init?(argument: String) {
    guard let milliseconds = Int64(argument) ?? RFC3339.milliseconds(argument), milliseconds > 0,
      milliseconds < 1 << 52
    else { return nil }
    self.milliseconds = milliseconds
  }
}
