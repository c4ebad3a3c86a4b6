internal import Columns
internal import Core
internal import Glibc
internal import Parquet

/// What the Python harnesses call: reads files and writes them again, and measures both.
@main
struct Main {
  static let usage = """
    usage: headrace-parquet copy IN OUT [options]      reads batches and writes them: flat columns
           headrace-parquet copy-rows IN OUT [options] reads rows and writes them: nested columns
           headrace-parquet describe FILE              statistics and bounds, a line for each column chunk
           headrace-parquet bloom FILE COLUMN TEXT…    whether the bloom filters may contain these strings
           headrace-parquet bench-write IN OUT REPEATS [options]
           headrace-parquet bench-read IN REPEATS [--columns a,b]
    options: --codec none|snappy|gzip|zstd|lz4Raw --page-version 1|2 --row-group-rows N --page-rows N --page-bytes N
             --dictionary-bytes N --plain --bloom a,b --columns a,b --batch-rows N
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
    switch (arguments.words.first, arguments.words.count) {
    case ("copy", 3): try Copying.copyBatches(arguments)
    case ("copy-rows", 3): try Copying.copyRows(arguments)
    case ("describe", 2): try Description.printChunks(arguments.words[1])
    case ("bloom", 4...): try Description.printBloom(arguments.words)
    case ("bench-write", 4): try Measurement.write(arguments)
    case ("bench-read", 3): try Measurement.read(arguments)
    default: throw HeadraceError(.user, "USAGE", usage)
    }
  }
}

/// Words and flags of the command line.
struct Arguments {
  private(set) var words: [String] = []
  private var flags: [String: String] = [:]

  init(_ arguments: [String]) {
    var rest = arguments[...]
    while let word = rest.popFirst() {
      if word == "--plain" {
        flags[word] = ""
      } else if word.hasPrefix("--") {
        flags[word] = rest.popFirst() ?? ""
      } else {
        words.append(word)
      }
    }
  }

  func number(_ flag: String) -> Int? { flags[flag].flatMap { Int($0) } }

  func list(_ flag: String) -> [String]? { flags[flag].map { $0.split(separator: ",").map { String($0) } } }

  var configuration: ParquetWriterConfiguration {
    var configuration = ParquetWriterConfiguration()
    if let name = flags["--codec"] {
      configuration.codec = ParquetCodec.allCases.first { "\($0)" == name } ?? configuration.codec
    }
    if number("--page-version") == 2 { configuration.pageVersion = .v2 }
    configuration.rowGroupRows = number("--row-group-rows") ?? configuration.rowGroupRows
    configuration.pageRows = number("--page-rows") ?? configuration.pageRows
    configuration.pageBytes = number("--page-bytes") ?? configuration.pageBytes
    configuration.dictionaryBytes = number("--dictionary-bytes") ?? configuration.dictionaryBytes
    configuration.zstandardLevel = number("--level") ?? configuration.zstandardLevel
    if flags["--plain"] != nil {
      configuration.choosesEncodings = false
      configuration.dictionaryBytes = 0
    }
    configuration.bloomFilters = Set(list("--bloom") ?? [])
    return configuration
  }
}
