import Contracts
import Core
import Testing

@testable import headrace

@Suite struct GenerateTests {
  private static func settings(_ change: (inout PaymentsGenerator.Settings) -> Void = { _ in })
    -> PaymentsGenerator.Settings
  {
    var settings = PaymentsGenerator.Settings()
    settings.startMilliseconds = 1_760_000_000_000
    settings.users = 1_000
    settings.merchants = 100
    change(&settings)
    return settings
  }

  private static func lines(_ settings: PaymentsGenerator.Settings, _ numbers: Range<Int64>) -> [String] {
    let generator = PaymentsGenerator(settings)
    return numbers.map { number in
      var bytes: [UInt8] = []
      _ = generator.append(number, to: &bytes)
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  @Test func `one seed gives one stream, on every machine and from any event on`() {
    let all = Self.lines(Self.settings(), 0..<200)
    #expect(Self.lines(Self.settings(), 100..<200) == Array(all[100...]))
    #expect(Self.lines(Self.settings { $0.seed = 8 }, 0..<200) != all)
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in all.joined(separator: "\n").utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    #expect(hash == 0x6eff_7539_6f30_3c57)
    let first = #"""
      {"event_id":"e0000000000","user_id":"u000005","merchant_id":"m00000","amount":123.83,"currency":"EUR",\#
      "country":"DE","channel":"web","is_fraud":0,"ts":1759999998872}
      """#
    #expect(all[0] == first)
  }

  @Test func `shares are as asked for`() {
    let generator = PaymentsGenerator(
      Self.settings {
        $0.lateShare = 0.1
        $0.duplicateShare = 0.05
        $0.invalidShare = 0.02
      })
    var (late, duplicates, invalid) = (0, 0, 0)
    for number in 0..<20_000 as Range<Int64> {
      let arrival = generator.arrivalMilliseconds(number)
      let payment = generator.payment(number)
      #expect(payment.timeMilliseconds <= arrival && payment.timeMilliseconds > arrival - 125_000)
      late += payment.timeMilliseconds <= arrival - 10_000 ? 1 : 0
      switch generator.kind(number) {
      case .plain: break
      case .invalid: invalid += 1
      case .duplicate(let original):
        duplicates += 1
        #expect(original < number && generator.kind(original) == .plain)
      }
    }
    #expect((1_800...2_200).contains(late) && (800...1_100).contains(duplicates) && (320...480).contains(invalid))
  }

  @Test func `drift moves amounts and channels from its beginning on`() {
    func measures(_ settings: PaymentsGenerator.Settings) -> (mean: Double, web: Double) {
      let generator = PaymentsGenerator(settings)
      let payments = (10_000..<30_000 as Range<Int64>).map { generator.payment($0) }
      let cents = payments.reduce(0.0) { $0 + Double($1.cents) }
      return (cents / 2e6, Double(payments.count { $0.channel == 0 }) / 20_000)
    }
    let before = measures(Self.settings())
    let later = measures(Self.settings { $0.drift = .init(beginning: .milliseconds(30_001)) })
    let after = measures(Self.settings { $0.drift = .init(beginning: .milliseconds(10_000), amountFactor: 1.5) })
    #expect(before == later)
    #expect((28...38).contains(before.mean) && (0.31...0.36).contains(before.web))
    #expect(abs(after.mean / before.mean - 1.5) < 0.01 && (0.58...0.62).contains(after.web))
  }

  @Test func `outcomes come hours later, and depend on the payment in another way behind the drift`() throws {
    let generator = PaymentsGenerator(
      Self.settings {
        $0.eventsPerSecond = 1
        $0.outcomes = .init()
        $0.drift = .init(beginning: .event(20_000), amountFactor: 3)
      })
    // How often large payments and payments of the app are charged back beside the others.
    func shares(_ numbers: Range<Int64>) throws -> (all: Double, large: Double, app: Double) {
      var counts = (all: (0, 0), large: (0, 0), app: (0, 0))
      for number in numbers {
        let outcome = try #require(generator.outcome(number))
        let payment = generator.payment(number)
        let delay = outcome.timeMilliseconds - generator.arrivalMilliseconds(number)
        #expect((30 * 60_000...12 * 3_600_000).contains(delay) && outcome.isChargedBack == payment.isFraud)
        func count(_ pair: inout (Int, Int)) { pair = (pair.0 + (outcome.isChargedBack ? 1 : 0), pair.1 + 1) }
        count(&counts.all)
        if payment.cents > 6_000 { count(&counts.large) }
        if payment.channel == 1 { count(&counts.app) }
      }
      func share(_ pair: (Int, Int)) -> Double { Double(pair.0) / Double(max(pair.1, 1)) }
      return (share(counts.all), share(counts.large), share(counts.app))
    }
    let (before, after) = (try shares(0..<20_000), try shares(20_000..<40_000))
    #expect((0.03...0.2).contains(before.all) && (0.03...0.2).contains(after.all))
    #expect(before.large > before.all && after.large < after.all)
    #expect(before.app < before.all && after.app > after.all)
    var bytes: [UInt8] = []
    _ = generator.append(3, to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self).contains(#""is_fraud":0,"#))
    bytes = []
    let outcome = try #require(generator.outcome(3))
    let key = outcome.append(to: &bytes)
    let user = String(decoding: bytes[key], as: UTF8.self)
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == #"{"event_id":"e0000000003","user_id":"\#(user)","charged_back":\#(outcome.isChargedBack ? 1 : 0),"#
        + #""ts":\#(outcome.timeMilliseconds)}"#
    )
    #expect(PaymentsGenerator(Self.settings()).outcome(3) == nil)
  }

  @Test(
    arguments: [
      ("10m", PaymentsGenerator.Drift(beginning: .milliseconds(600_000))),
      ("50k:2", .init(beginning: .event(50_000), amountFactor: 2)), ("7", .init(beginning: .event(7))),
      ("10m:0", nil), ("soon", nil), ("", nil), ("5:x", nil),
    ] as [(String, PaymentsGenerator.Drift?)])
  func `drift is read`(text: String, expected: PaymentsGenerator.Drift?) {
    #expect(DriftOption(argument: text)?.drift == expected)
  }

  @Test(arguments: [("0", 0.0 as Double?), ("20k", 20_000), ("1.5M/s", 1_500_000), ("-1", nil), ("fast", nil)])
  func `rates are read`(text: String, expected: Double?) {
    #expect(EventRate(argument: text)?.perSecond == expected)
  }
}
