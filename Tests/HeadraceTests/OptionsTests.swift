import Testing
@testable import headrace

@Suite struct OptionsTests {
  @Test(arguments: ["a", "flights.departed", "A_1-b", "9", String(repeating: "x", count: 249)])
  func topicNames(name: String) throws { #expect(try TopicName.parse(name) == name) }

  @Test(arguments: ["", ".", "..", "-a", "_a", ".a", "a b", "a/b", "é", "a\n", String(repeating: "x", count: 250)])
  func notTopicNames(name: String) { #expect(throws: (any Error).self) { try TopicName.parse(name) } }

  @Test(
    arguments: [
      ("beginning", .beginning), ("end", .end), ("0", .offset(0)), ("42", .offset(42)),
      ("2013-01-01", .time(1_356_998_400_000)),
      ("2013-01-01T00:00:01Z", .time(1_356_998_401_000)),
    ] as [(String, ConsumePosition)])
  func positions(text: String, position: ConsumePosition) { #expect(ConsumePosition(argument: text) == position) }

  @Test(arguments: ["", "-1", "begin", "1969-12-31", "2013-01-01T00:00:00"])
  func notPositions(text: String) { #expect(ConsumePosition(argument: text) == nil) }

  @Test(arguments: [("500/s", 500), ("20k/s", 20_000), ("1.5M/s", 1_500_000), ("0.5", 0.5), ("7k", 7_000)])
  func rates(text: String, rate: Double) { #expect(PublishRate(argument: text)?.recordsPerSecond == rate) }

  @Test(arguments: ["", "0", "-1", "x", "/s", "k", "inf", "nan", "1e999"])
  func notRates(text: String) { #expect(PublishRate(argument: text) == nil) }

  @Test(arguments: [("60x", 60), ("1", 1), ("0.5x", 0.5)])
  func speeds(text: String, factor: Double) { #expect(ReplaySpeed(argument: text)?.factor == factor) }

  @Test(arguments: ["", "x", "0x", "-1x", "infx"])
  func notSpeeds(text: String) { #expect(ReplaySpeed(argument: text) == nil) }

  @Test(arguments: [
    ("127.0.0.1:9092", "127.0.0.1", 9092, true), ("[::1]:1", "::1", 1, true), ("kafka:65535", "kafka", 65535, false),
    ("localhost:0", "localhost", 0, true), ("127.evil.example:1", "127.evil.example", 1, false),
  ])
  func addresses(text: String, host: String, port: Int, isLoopback: Bool) throws {
    let found = try HostAndPort.parse(text, flag: "--x")
    #expect(found == (host, port))
    #expect(HostAndPort.isLoopback(found.host) == isLoopback)
  }

  @Test(arguments: ["", "a", "a:", ":1", "a:65536", "a:-1", "a b:1", "a:1x"])
  func notAddresses(text: String) { #expect(throws: (any Error).self) { try HostAndPort.parse(text, flag: "--x") } }
}
