import Testing

@testable import Core

@Suite struct NearestNameTests {
  @Test(arguments: [
    ("dep_dela", "dep_delay"), ("tll", "ttl"), ("teh", "the"), ("carier", "carrier"), ("Carrier", "carrier"),
    ("arr_delay", "dep_delay"), ("something_else", nil), ("", nil),
  ])
  func `the nearest name is found, or none`(name: String, expected: String?) {
    #expect(
      NearestName.of(name, in: ["arr_delay", "ttl", "carrier", "the", "x", "dep_delay"].filter { $0 != name })
        == expected)
  }

  @Test func `of names that are equally near the first is taken`() {
    #expect(NearestName.of("cat", in: ["bat", "cut"]) == "bat")
    #expect(NearestName.of("cat", in: ["cut", "bat"]) == "cut")
  }

  @Test func `a name is never corrected to itself`() { #expect(NearestName.of("sum", in: ["sum", "sun"]) == "sun") }

  @Test func `long names are compared by their beginning`() {
    let long = String(repeating: "n", count: 100_000)
    #expect(NearestName.of(long + "a", in: [long + "b"]) == long + "b")
  }

  @Test func `distances are those of the definition`() {
    var random = SplitMix64(seed: 3)
    for _ in 0..<2_000 {
      let (left, right) = (Self.word(&random), Self.word(&random))
      #expect(NearestName.distance(left, right) == Self.naive(left[...], right[...]), "\(left) \(right)")
    }
  }

  /// Few letters, so that many are the same.
  private static func word(_ random: inout SplitMix64) -> [Unicode.Scalar] {
    (0..<Int.random(in: 0...5, using: &random)).map { _ in "abé".unicodeScalars.randomElement(using: &random) ?? "a" }
  }

  private static func naive(_ left: ArraySlice<Unicode.Scalar>, _ right: ArraySlice<Unicode.Scalar>) -> Int {
    guard let last = left.last, let other = right.last else { return max(left.count, right.count) }
    var best = naive(left.dropLast(), right.dropLast()) + (last == other ? 0 : 1)
    best = min(best, naive(left.dropLast(), right) + 1, naive(left, right.dropLast()) + 1)
    if left.count > 1, right.count > 1, last == right.dropLast().last, other == left.dropLast().last {
      best = min(best, naive(left.dropLast(2), right.dropLast(2)) + 1)
    }
    return best
  }
}
