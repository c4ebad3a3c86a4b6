import Testing

@testable import headrace

@Suite struct UsageMessageTests {
  @Test func `a command that does not exist is told with the nearest one`() {
    let message = "Error: Unexpected argument 'pln'\nUsage: headrace <subcommand>"
    let improved = UsageMessage.improved(message, arguments: ["pln", "file.yaml"])
    #expect(improved == "Error: there is no command 'pln'; did you mean 'plan'?\nUsage: headrace <subcommand>")
    let unknown = UsageMessage.improved("Error: Unexpected argument 'zzz'", arguments: ["zzz"])
    #expect(unknown.hasPrefix("Error: there is no command 'zzz': expected one of dev, run, plan"))
  }

  @Test func `a negative number is told as what it is`() {
    let message = "Error: Missing value for '--rate <n/s>'\nHelp: …"
    let improved = UsageMessage.improved(message, arguments: ["generate", "payments", "--rate", "-5"])
    #expect(improved == "Error: --rate -5: expected a number that is not negative\nHelp: …")
  }

  @Test func `everything else stays as it is`() {
    for (message, arguments) in [
      ("Error: Missing value for '--rate <n/s>'", ["--rate", "--topic"]),
      ("Error: Missing value for '--rate <n/s>'", ["--rate"]),
      ("Error: Unexpected argument 'x'", ["plan", "f", "x"]), ("Error: --rate 0 needs --count", ["--rate", "0"]),
    ] {
      #expect(UsageMessage.improved(message, arguments: arguments) == message)
    }
  }
}
