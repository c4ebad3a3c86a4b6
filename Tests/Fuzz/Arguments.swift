/// The command line, read by hand: a fuzzer should link little besides what it tests.
struct Arguments {
  static let usage = """
    usage: headrace-fuzz TARGET [--executions N] [--seed S] [--corpus DIR] [--findings DIR] [--maximum-seconds T]
           headrace-fuzz TARGET --replay FILE
           headrace-fuzz make-corpus [DIR]

    TARGET is one of \(Targets.names.joined(separator: ", ")).
    --corpus     inputs to start from (default: Tests/Fuzz/Corpus/TARGET, and without files there, built-in ones)
    --findings   where an input that broke something is put (default: the current folder)
    """

  var command: String
  var folder: String?
  private var values: [String: String] = [:]

  private static let flags: Set<String> = [
    "--executions", "--seed", "--corpus", "--findings", "--maximum-seconds", "--replay",
  ]

  init(_ arguments: [String]) throws(FuzzError) {
    guard let first = arguments.first, !first.hasPrefix("-") else { throw FuzzError(Self.usage) }
    command = first
    var rest = arguments.dropFirst()
    if let second = rest.first, !second.hasPrefix("-") {
      folder = second
      rest = rest.dropFirst()
    }
    while let flag = rest.popFirst() {
      guard Self.flags.contains(flag) else { throw FuzzError("unknown flag \(flag)\n\(Self.usage)") }
      guard let value = rest.popFirst() else { throw FuzzError("\(flag) needs a value") }
      values[flag] = value
    }
  }

  func text(_ flag: String) -> String? { values[flag] }

  func number<Number: FixedWidthInteger>(_ flag: String, default fallback: Number) throws(FuzzError) -> Number {
    guard let text = values[flag] else { return fallback }
    guard let number = Number(text), number >= 0 else { throw FuzzError("\(flag) \(text) is no number from 0 on") }
    return number
  }
}
