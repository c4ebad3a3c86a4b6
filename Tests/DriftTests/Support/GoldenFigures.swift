import Foundation

/// What other libraries computed: Golden/reference.tsv.
struct GoldenFigures {
  struct Figure: Sendable {
    var library: String
    var rows: String
    var column: String
    var name: String
    var text: String

    var value: Double { Double(text) ?? .nan }
  }

  static let all: [Figure] = {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = folder.appendingPathComponent("Golden/reference.tsv")
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
      let fields = line.split(separator: "\t").map(String.init)
      return Figure(library: fields[0], rows: fields[1], column: fields[2], name: fields[3], text: fields[4])
    }
  }()

  static func of(_ library: String) -> [Figure] { all.filter { $0.library == library } }

  static func value(_ library: String, _ rows: String, _ column: String, _ name: String) -> Double {
    all.first { $0.library == library && $0.rows == rows && $0.column == column && $0.name == name }?.value ?? .nan
  }

  static let sizes = ["4000x3000": (4_000, 3_000), "800x600": (800, 600)]
}

/// Figures are written with twelve digits.
func isNear(_ found: Double, _ expected: Double, absolute: Double = 1e-9, relative: Double = 1e-9) -> Bool {
  (found - expected).magnitude <= max(absolute * 1e-3, relative * expected.magnitude) || found == expected
}
