internal import Core
package import Expressions

/// `mean(dep_delay) where origin == 'JFK' over 1h, 6h`, with its grammar right: one feature for each window.
package struct ParsedFeature: Sendable {
  package var function: AggregateFunction
  /// Not yet typed; nil of `count` and `rate`.
  package var argument: ParsedExpression?
  package var filter: ParsedExpression?
  /// As written, no two of them equal.
  package var windows: [Window]
}

/// The language in which views define features.
///
/// ```
/// feature   = function [ "(" arguments ")" ] [ "where" expression ] "over" window { "," window }
/// arguments = expression [ "," parameter ]        last_k(x, 5)  percentile(x, 0.9)  topk(x, 3)  ewma(x, 30m)
///           | duration                            rate(1m); `rate` alone is per second
/// window    = duration [ ( "every" | "by" ) duration ]
///           | "tumbling(" duration ")" | "session(" duration ")" | "last(" count ")" | "lifetime"
/// ```
/// Anything else is an expression over features of the same view: a derived feature.
package enum FeatureSyntax {
  /// Reads the text of one feature.
  ///
  /// - Returns: nil when the text is not an aggregate, and so must be an expression over features.
  /// - Throws: with offsets into `text`.
  package static func parse(_ text: String) throws(ExpressionError) -> ParsedFeature? {
    var scanner = FeatureScanner(text)
    let (name, place) = scanner.word()
    let isAggregate = AggregateFunction.keywords.contains(name)
    guard isAggregate || scanner.hasWindows else { return nil }
    guard isAggregate else { throw unknownFunction(name, place) }
    var parser = FeatureParser(text: text, scanner: scanner)
    return try parser.feature(name, place)
  }

  private static let synonyms = [
    "avg": "mean", "average": "mean", "minimum": "min", "maximum": "max", "var": "variance", "var_samp": "variance",
    "std": "stddev", "stdev": "stddev", "stddev_samp": "stddev", "quantile": "percentile", "median": "percentile",
    "distinct": "count_distinct", "approx_count_distinct": "count_distinct", "nunique": "count_distinct",
    "top_k": "topk", "ema": "ewma", "latest": "last", "lastk": "last_k",
  ]

  private static func unknownFunction(_ name: String, _ place: SourcePlace) -> ExpressionError {
    let nearest = synonyms[name.lowercased()] ?? NearestName.of(name, in: AggregateFunction.keywords)
    return ExpressionError(
      "this is not an aggregate", at: place, found: name.isEmpty ? nil : "'\(name)'",
      expected: "one of \(AggregateFunction.keywords.joined(separator: ", "))", nearest: nearest)
  }
}
