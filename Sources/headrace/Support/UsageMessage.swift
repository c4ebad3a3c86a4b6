internal import Core
internal import ArgumentParser
internal import Topology

/// What the parser says of a wrong command line, where it could say more.
enum UsageMessage {
  /// - Parameters:
  ///   - message: the parser's, whose first line is what is wrong.
  ///   - arguments: of the command line, without the program.
  static func improved(_ message: String, arguments: [String]) -> String {
    guard let better = unknownCommand(message, arguments) ?? negativeValue(message, arguments) else { return message }
    let rest = message.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
    return ([better] + rest.map(String.init)).joined(separator: "\n")
  }

  /// `headrace pln`: the parser takes it for an argument that nobody wants.
  private static func unknownCommand(_ message: String, _ arguments: [String]) -> String? {
    guard let word = arguments.first, !word.hasPrefix("-"),
      message.hasPrefix("Error: Unexpected argument '\(word)'")
    else { return nil }
    let names = Headrace.configuration.subcommands.compactMap { $0.configuration.commandName }
    guard !names.contains(word) else { return nil }
    let nearest = NearestName.of(word, in: names).map { "; did you mean '\($0)'?" }
    return "Error: there is no command '\(word)'" + (nearest ?? ": expected one of \(names.joined(separator: ", "))")
  }

  /// `--rate -5`: the parser takes the number for another option.
  private static func negativeValue(_ message: String, _ arguments: [String]) -> String? {
    for (option, value) in zip(arguments, arguments.dropFirst())
    where option.hasPrefix("--") && message.hasPrefix("Error: Missing value for '\(option) ") {
      guard value.hasPrefix("-"), let second = value.dropFirst().first, second.isNumber || second == "." else {
        continue
      }
      return "Error: \(option) \(value): expected a number that is not negative"
    }
    return nil
  }
}
