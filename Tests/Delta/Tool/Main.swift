internal import Columns
internal import Core
internal import Delta
internal import Glibc
internal import Storage

/// What the Python harness calls: makes, writes, reads and maintains tables of this repository's `Delta`.
@main
struct Main {
  static let usage = """
    usage: headrace-delta COMMAND STORE TABLE [options]      STORE: a folder, or s3://BUCKET/PREFIX
      create --schema JSON [--partition a,b] [--property k=v]   makes a table
      append [--app ID --from N --to N]     JSON rows on standard input become one commit
      add-columns --schema JSON             adds the columns that are new
      read [--version N] [--timestamp MS] [--columns a,b] [--where COLUMN,OP,VALUE]    rows as JSON
      describe [--version N]                version, files, transactions as JSON
      checkpoint | compact [--target-bytes N] | vacuum [--retention MS] [--pin N,…] | clean-up [--pin N,…]
      race --app ID --commits N [--rows N]  commits in a loop, each from where the application is
      tidy --until PATH [--target-bytes N]  compacts and checkpoints until there is a file at PATH
      life --commits N                      commits, compacts, checkpoints, cleans up: everything a writer does
      kill-points                           the places at which HEADRACE_KILL_AT lets it die
      bench --commits N --rows N            times of appends, in milliseconds
    """

  static func main() {
    do throws(HeadraceError) {
      try run(Arguments(Array(CommandLine.arguments.dropFirst())))
    } catch {
      print("error: \(error)")
      exit(1)
    }
  }

  private static func run(_ arguments: Arguments) throws(HeadraceError) {
    guard arguments.words != ["kill-points"] else {
      for point in DeltaKillPoint.allCases { print(point.rawValue) }
      return
    }
    guard arguments.words.count == 3 else { throw HeadraceError(.user, "USAGE", usage) }
    let session = try Session(arguments)
    switch arguments.words[0] {
    case "create": try session.create()
    case "append": try session.append()
    case "add-columns": try session.addColumns()
    case "read": try session.read()
    case "describe": try session.describe()
    case "checkpoint": try session.table().checkpoint(nowMilliseconds: session.now)
    case "compact": try session.compact()
    case "vacuum": try session.vacuum()
    case "clean-up": try session.cleanUp()
    case "race": try session.race()
    case "tidy": try session.tidy()
    case "life": try session.life()
    case "bench": try session.bench()
    default: throw HeadraceError(.user, "USAGE", usage)
    }
  }
}

/// Words and `--name value`.
struct Arguments {
  var words: [String] = []
  private var options: [(String, String)] = []

  init(_ arguments: [String]) {
    var rest = arguments[...]
    while let word = rest.popFirst() {
      if word.hasPrefix("--") {
        options.append((String(word.dropFirst(2)), rest.popFirst() ?? ""))
      } else {
        words.append(word)
      }
    }
  }

  subscript(name: String) -> String? { options.last { $0.0 == name }?.1 }
  func all(_ name: String) -> [String] { options.filter { $0.0 == name }.map(\.1) }
  func list(_ name: String) -> [String]? { self[name]?.split(separator: ",").map(String.init) }

  func number(_ name: String) throws(HeadraceError) -> Int64? {
    guard let text = self[name] else { return nil }
    guard let number = Int64(text) else { throw HeadraceError(.user, "USAGE", "--\(name) \(text) is no number") }
    return number
  }
}
