internal import Columns
internal import Core
internal import Parquet

enum Description {
  /// `rowGroup TAB column TAB nulls TAB minimum TAB maximum`; `-` is unknown.
  static func printChunks(_ path: String) throws(HeadraceError) {
    let source = try ParquetFileSource(path: path)
    let file = try ParquetFile(source, place: path)
    for group in file.rowGroups {
      for chunk in group.columns {
        let statistics = chunk.statistics
        let fields = [
          "\(group.index)", chunk.leaf.name, statistics?.nullCount.map { "\($0)" } ?? "-", text(statistics?.minimum),
          text(statistics?.maximum),
        ]
        print(fields.joined(separator: "\t"))
      }
    }
  }

  static func printBloom(_ words: [String]) throws(HeadraceError) {
    let source = try ParquetFileSource(path: words[1])
    let file = try ParquetFile(source, place: words[1])
    guard let leaf = file.schema.leaf(words[2]) else { throw HeadraceError(.user, "COLUMN", "no column \(words[2])") }
    for value in words.dropFirst(3) {
      var answers: [String] = []
      for group in file.rowGroups.indices {
        let filter = try file.bloomFilter(of: leaf, rowGroup: group, source: source)
        answers.append(filter.map { $0.mayContain(.string(value), leaf: leaf) ? "maybe" : "no" } ?? "none")
      }
      print(value, answers.joined(separator: " "))
    }
  }

  private static func text(_ value: Value?) -> String {
    switch value {
    case nil: "-"
    case .integer(let value), .timestamp(let value), .date(let value): "\(value)"
    case .double(let value): "\(value)"
    case .boolean(let value): "\(value)"
    case .string(let value): value
    case .bytes(let value): "\(value)"
    case .decimal(let unscaled, let scale): "\(unscaled)e-\(scale)"
    case .some(let value): "\(value)"
    }
  }
}
