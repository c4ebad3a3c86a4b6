import Testing

@Suite struct LayeringTests {
  @Test func arrowsGoDownOnly() throws {
    Finding.report(Layering.findings(in: try Repository.files()))
  }

  @Test func everyCLibraryHasOneImporter() throws {
    Finding.report(Layering.sharedCLibraries(in: try Repository.files()))
  }

  @Test func theTableItselfPointsDown() {
    let levels = Dictionary(uniqueKeysWithValues: Layer.table.map { ($0.module, $0.level) })
    for layer in Layer.table {
      for imported in layer.imports where !Layering.isCLibrary(imported) {
        #expect((levels[imported] ?? .max) < layer.level, "\(layer.module) → \(imported)")
      }
    }
  }

  @Test(arguments: [
    ("Core", "internal import Codecs"), ("Core", "import Foundation"), ("Kafka", "package import NIOCore"),
    ("Broker", "internal import Kafka"), ("Codecs", "internal import CRDKafka"), ("Surprise", "internal import Core"),
    ("Broker", "internal import struct Kafka.Offset"), ("Contracts", "@preconcurrency internal import Dispatch"),
  ])
  func catchesAnArrowThatGoesUp(module: String, line: String) {
    let file = SourceFile(path: "Sources/\(module)/Planted.swift", text: "// import nothing\n\(line)\n")
    #expect(Layering.findings(in: [file]).map(\.line) == [2])
  }

  @Test func allowsWhatTheTableAllows() {
    let text = "internal import Core\npackage import Glibc\ninternal import CBroker\ninternal import NIOCore\n"
    #expect(Layering.findings(in: [SourceFile(path: "Sources/Broker/Fine.swift", text: text)]).isEmpty)
  }

  @Test func catchesASharedCLibrary() {
    let files = ["Codecs", "Broker"].map {
      SourceFile(path: "Sources/\($0)/A.swift", text: "internal import CCodecs\n")
    }
    #expect(Layering.sharedCLibraries(in: files).count == 1)
  }
}

enum Layering {
  /// C targets are called `C` and a name that starts with a capital or a known library: `CCodecs`, `CRDKafka`.
  static func isCLibrary(_ name: String) -> Bool { name.wholeMatch(of: #/C[A-Z]\w+/#) != nil }

  static func findings(in files: [SourceFile]) -> [Finding] {
    let layers = Dictionary(uniqueKeysWithValues: Layer.table.map { ($0.module, $0) })
    var findings: [Finding] = []
    for file in files where file.isSwift {
      guard let module = file.module else { continue }
      for (imported, line) in imports(of: file) {
        guard let layer = layers[module] else {
          findings.append(.init(path: file.path, line: line, message: "module \(module) is not in the layer table"))
          continue
        }
        guard !Layer.everybody.contains(imported), !layer.imports.contains(imported),
          !layer.libraries.contains(imported)
        else { continue }
        findings.append(.init(path: file.path, line: line, message: "\(module) may not import \(imported)"))
      }
    }
    return findings
  }

  static func sharedCLibraries(in files: [SourceFile]) -> [Finding] {
    var importers: [String: [String: Finding]] = [:]
    for file in files where file.isSwift {
      guard let module = file.module else { continue }
      for (imported, line) in imports(of: file) where isCLibrary(imported) {
        let message = "\(imported) is imported by \(module) and by another module: C belongs behind one of ours"
        importers[imported, default: [:]][module] = .init(path: file.path, line: line, message: message)
      }
    }
    return importers.values.filter { $0.count > 1 }.compactMap { $0.min { $0.key < $1.key }?.value }
  }

  private static func imports(of file: SourceFile) -> [(module: String, line: Int)] {
    file.code.enumerated().compactMap { index, line in
      guard line.utf8.count > 7, line.contains("import") else { return nil }
      // Attributes and access levels in front; a kind of declaration may stand behind.
      let pattern =
        #/^\s*(?:@\w+(?:\([^)]*\))?\s+|(?:package|internal|public|\w*private)\s+)*import\s+(?:[a-z]+\s+)?(\w+)/#
      return line.firstMatch(of: pattern).map { (String($0.1), index + 1) }
    }
  }
}
