import Core
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

  @Test func weightsOfAServer() {
    let said = ["int8", "fraud=bf16", "fraud=float32", "a=b=int8"].compactMap { ServedWeights(argument: $0) }
    #expect(said.count == 4)
    let found = ["other", "fraud", "a=b"].map { "\(said.weights(of: $0))" }
    #expect(found == ["int8", "float32", "int8"])
    let none: [ServedWeights] = []
    #expect("\(none.weights(of: "other"))" == "float32")
    for text in ["", "=int8", "int4", "fraud=", "fraud=bfloat16"] { #expect(ServedWeights(argument: text) == nil) }
  }

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

  @Test(arguments: ["worker-1:6566", "10.0.0.7:1", "[fe80::1]:6566", "a_b.example:80"])
  func `an address that other workers take is told as it is given`(text: String) throws {
    #expect(try Peering(address: text).advertised(host: "127.0.0.1", port: 1) == text)
  }

  @Test(arguments: ["h/x@y:1", "[fe80::1%eth0]:1", "m\u{FC}ller:1", "a?b:1"])
  func `an address that other workers would not take is refused at the start`(text: String) {
    #expect(throws: (any Error).self) { try Peering(address: text) }
  }

  @Test func `so is one that follows from where HTTP is served`() throws {
    #expect(try Peering().advertised(host: "::1", port: 6_566) == "[::1]:6566")
    let error = #expect(throws: HeadraceError.self) { try Peering().advertised(host: "fe80::1%eth0", port: 1) }
    #expect(error?.code == "ADVERTISE_INVALID")
  }
}
