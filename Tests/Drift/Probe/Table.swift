internal import Drift
internal import Glibc

/// A CSV file without quotes, by columns.
struct Table {
  private(set) var names: [String] = []
  private(set) var columns: [[Substring]] = []

  init(_ path: String) throws {
    let text = try Self.contents(path)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
    guard let header = lines.first else { throw ProbeError(message: "\(path) is empty") }
    names = header.split(separator: ",").map(String.init)
    columns = names.map { _ in [] }
    for line in lines.dropFirst() {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      guard fields.count == names.count else { throw ProbeError(message: "\(path): \(line)") }
      for (index, field) in fields.enumerated() { columns[index].append(field) }
    }
  }

  private static func contents(_ path: String) throws -> String {
    guard let file = unsafe fopen(path, "r") else { throw ProbeError(message: "cannot open \(path)") }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe fread(&buffer, 1, buffer.count, file)
      if count == 0 { break }
      bytes.append(contentsOf: buffer[..<count])
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  func numbers(_ name: String) throws -> [Double] {
    guard let index = names.firstIndex(of: name) else { throw ProbeError(message: "no column \(name)") }
    return try columns[index].map { field in
      if field.isEmpty { return .nan }
      guard let value = Double(field) else { throw ProbeError(message: "\(field) is no number") }
      return value
    }
  }

  func window(_ name: String) throws -> FeatureWindow {
    guard let index = names.firstIndex(of: name) else { throw ProbeError(message: "no column \(name)") }
    if name.hasPrefix("c") {
      return .categorical(CategoryWindow(columns[index].map { $0.isEmpty ? nil : String($0) }))
    }
    return .numeric(NumericWindow(try numbers(name), isInteger: name.hasPrefix("i")))
  }
}

func answer(_ fields: Any...) {
  print(fields.map { "\($0)" }.joined(separator: "\t"))
}
