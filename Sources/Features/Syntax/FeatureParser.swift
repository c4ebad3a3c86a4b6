internal import Expressions

/// Reads a feature whose function is known.
struct FeatureParser {
  let text: String
  var scanner: FeatureScanner

  mutating func feature(_ name: String, _ place: SourcePlace) throws(ExpressionError) -> ParsedFeature {
    let (function, argument) = try call(name, place)
    var filter: ParsedExpression?
    if scanner.take(word: "where") { filter = try expression() }
    guard scanner.take(word: "over") else {
      throw unexpected("a feature needs a window", "over", "write `\(name)… over 1h`, with one or more windows")
    }
    var windows: [Window] = []
    repeat {
      let start = scanner.found().place
      let window = try window()
      guard !windows.contains(window) else {
        let place = SourcePlace(offset: start.offset, length: scanner.position - start.offset)
        throw ExpressionError("this window is there twice", at: place, remedy: "leave it out")
      }
      windows.append(window)
    } while scanner.take(",")
    if scanner.found().place.length > 0 { throw unexpected("the feature was over before this", "',' or the end") }
    return ParsedFeature(function: function, argument: argument, filter: filter, windows: windows)
  }

  /// The function with its arguments in parentheses, which `count` and `rate` may go without.
  private mutating func call(
    _ name: String, _ place: SourcePlace
  ) throws(ExpressionError) -> (AggregateFunction, ParsedExpression?) {
    guard scanner.take("(") else {
      if name == "count" { return (.count, nil) }
      if name == "rate" { return (.rate(perMilliseconds: 1_000), nil) }
      throw unexpected("`\(name)` needs an argument", "'('", "write `\(Self.usage(name))`")
    }
    if scanner.take(")") {
      if name == "count" { return (.count, nil) }
      if name == "rate" { return (.rate(perMilliseconds: 1_000), nil) }
      throw ExpressionError("`\(name)` needs an argument", at: place, remedy: "write `\(Self.usage(name))`")
    }
    if name == "rate" {
      let milliseconds = try duration("`rate` takes the time that it counts per", "a duration such as 1m")
      try close(name)
      return (.rate(perMilliseconds: milliseconds), nil)
    }
    let argument = try expression()
    let function = try function(name)
    try close(name)
    return (function, argument)
  }

  /// The function, with what follows the first argument.
  private mutating func function(_ name: String) throws(ExpressionError) -> AggregateFunction {
    switch name {
    case "count": return .count
    case "sum": return .sum
    case "mean": return .mean
    case "min": return .minimum
    case "max": return .maximum
    case "variance": return .variance
    case "stddev": return .standardDeviation
    case "first": return .first
    case "count_distinct": return .countDistinct
    case "last_k": return .lastK(try count(name, most: LayoutPlanner.longestList))
    case "topk": return .topK(try count(name, most: FrequencyTable.exactLimit))
    case "percentile":
      try comma(name)
      let (text, place) = scanner.word()
      guard let fraction = Double(text), fraction >= 0, fraction <= 1 else {
        throw ExpressionError(
          "`percentile` takes a fraction", at: place, found: "'\(text)'", expected: "a number from 0 to 1",
          remedy: Double(text).flatMap { $0 > 1 && $0 <= 100 ? "write \($0 / 100)" : nil })
      }
      return .percentile(fraction)
    case "ewma":
      try comma(name)
      return .ewma(halfLifeMilliseconds: try duration("`ewma` takes a half-life", "a duration such as 30m"))
    default: return .last
    }
  }

  private mutating func comma(_ name: String) throws(ExpressionError) {
    guard scanner.take(",") else {
      throw unexpected("`\(name)` takes two arguments", "','", "write `\(Self.usage(name))`")
    }
  }

  private mutating func close(_ name: String) throws(ExpressionError) {
    guard scanner.take(")") else {
      throw unexpected("the arguments of `\(name)` do not end here", "')'", "write `\(Self.usage(name))`")
    }
  }

  private mutating func count(_ name: String, most: Int) throws(ExpressionError) -> Int {
    try comma(name)
    return try count("`\(name)` takes a count", upTo: most)
  }

  private mutating func count(_ message: String, upTo most: Int) throws(ExpressionError) -> Int {
    let (text, place) = scanner.word()
    guard let count = Int(text), (1...most).contains(count) else {
      throw ExpressionError(message, at: place, found: "'\(text)'", expected: "a whole number from 1 to \(most)")
    }
    return count
  }

  private mutating func duration(_ message: String, _ expected: String) throws(ExpressionError) -> Int64 {
    let (found, place) = scanner.found()
    let (text, _) = scanner.word()
    guard let milliseconds = DurationText.milliseconds(text), milliseconds > 0 else {
      throw ExpressionError(message, at: place, found: found, expected: expected)
    }
    return milliseconds
  }

  private mutating func expression() throws(ExpressionError) -> ParsedExpression {
    let (expression, end) = try ParsedExpression.prefix(of: text, from: scanner.position)
    scanner.position = end
    return expression
  }

  private mutating func unexpected(_ message: String, _ expected: String, _ remedy: String? = nil) -> ExpressionError {
    let (found, place) = scanner.found()
    return ExpressionError(message, at: place, found: found, expected: expected, remedy: remedy)
  }

  private static func usage(_ name: String) -> String {
    switch name {
    case "last_k": "last_k(x, 5)"
    case "topk": "topk(x, 3)"
    case "percentile": "percentile(x, 0.9)"
    case "ewma": "ewma(x, 30m)"
    case "rate": "rate(1m)"
    default: "\(name)(x)"
    }
  }
}

// Windows.
extension FeatureParser {
  private static let windowKinds = "1h, 24h every 1h, tumbling(1h), session(30m), last(10) or lifetime"

  private mutating func window() throws(ExpressionError) -> Window {
    let start = scanner.position
    let (found, place) = scanner.found()
    switch scanner.word().text.lowercased() {
    case "lifetime": return .lifetime
    case "tumbling":
      return .tumbling(
        length: try parenthesised { parser throws(ExpressionError) in
          try parser.duration("`tumbling` takes a length", "a duration such as 1h")
        })
    case "session":
      return .session(
        gap: try parenthesised { parser throws(ExpressionError) in
          try parser.duration("`session` takes the gap that ends it", "a duration such as 30m")
        })
    case "last":
      return .lastEvents(
        try parenthesised { parser throws(ExpressionError) in
          try parser.count("`last` takes a number of events", upTo: LayoutPlanner.longestList)
        })
    default: break
    }
    scanner.position = start
    let length = try duration("this is not a window", Self.windowKinds)
    guard scanner.take(word: "every") || scanner.take(word: "by") else { return .sliding(length: length) }
    let hop = try duration("a window hops by a duration", "a duration such as 5m")
    guard length % hop == 0 else {
      throw ExpressionError(
        "the hop does not divide the window", at: .init(offset: place.offset, length: scanner.position - place.offset),
        found: found, expected: "a hop that divides \(Window.durationText(length))")
    }
    return .sliding(length: length, hop: hop)
  }

  private mutating func parenthesised<Result>(
    _ body: (inout FeatureParser) throws(ExpressionError) -> Result
  ) throws(ExpressionError) -> Result {
    guard scanner.take("(") else { throw unexpected("this window needs an argument", "'('") }
    let result = try body(&self)
    guard scanner.take(")") else { throw unexpected("the window does not end here", "')'") }
    return result
  }
}
