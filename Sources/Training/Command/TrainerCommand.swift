internal import Core
internal import Glibc
internal import Storage

/// The words of a command, with what stands for the places of this training:
///
/// - `{dataset}` the folder with `train.parquet` and `validation.parquet`
/// - `{manifest}` what is in them, and what is to be trained: a JSON file
/// - `{output}` the file that the model is to be written to, in a folder that is empty
/// - `{seed}` `{objective}` `{timeout_seconds}` `{memory_bytes}` `{threads}`
///
/// The same is in the environment: `HEADRACE_DATASET`, `HEADRACE_MANIFEST`, `HEADRACE_OUTPUT`, …
struct TrainerCommand {
  let arguments: [String]
  let environment: [(name: String, value: String)]

  struct Places {
    var dataset: String
    var manifest: String
    var output: String
    var temporary: String
  }

  /// - Throws: `TRAINING_PARAMETER` for a program that is not there, or a placeholder that is none.
  init(_ words: [String], _ places: Places, _ specification: TrainingSpecification) throws(HeadraceError) {
    let values: [(name: String, value: String)] = [
      ("dataset", places.dataset), ("manifest", places.manifest), ("output", places.output),
      ("seed", "\(specification.seed)"), ("objective", specification.objective.rawValue),
      ("timeout_seconds", "\(specification.budget.timeoutMilliseconds / 1_000)"),
      ("memory_bytes", "\(specification.budget.memoryBytes)"), ("threads", "1"),
    ]
    var arguments: [String] = []
    for word in words { arguments.append(try Self.filled(word, values)) }
    arguments[0] = try Program.path(arguments.first ?? "")
    self.arguments = arguments
    // Nothing else of our own environment: it may hold passwords.
    var environment: [(name: String, value: String)] = []
    for name in ["PATH", "HOME", "LANG"] {
      guard let value = Program.variable(name) else { continue }
      environment.append((name, value))
    }
    environment.append(("TMPDIR", places.temporary))
    environment += values.map { ("HEADRACE_\($0.name.uppercased())", $0.value) }
    self.environment = environment
  }

  private static func filled(
    _ word: String, _ values: [(name: String, value: String)]
  ) throws(HeadraceError) -> String {
    var result = ""
    var rest = word[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      let name = rest[rest.index(after: open)..<close]
      guard name.allSatisfy({ $0.isLetter || $0 == "_" }), !name.isEmpty else {
        // Braces of another language stay as they are.
        result += rest[...open]
        rest = rest[rest.index(after: open)...]
        continue
      }
      guard let value = values.first(where: { $0.name == name }) else {
        throw HeadraceError(
          .user, "TRAINING_PARAMETER", "there is no placeholder {\(name)}", place: "command",
          remedy: NearestName.of(String(name), in: values.map(\.name)).map { "did you mean {\($0)}?" }
            ?? "there are \(values.map { "{\($0.name)}" }.joined(separator: " "))")
      }
      result += rest[..<open] + value.value
      rest = rest[rest.index(after: close)...]
    }
    return result + rest
  }
}

/// Programs by their names.
enum Program {
  /// A name with a slash is a path; others are looked for in PATH.
  static func path(_ name: String) throws(HeadraceError) -> String {
    if name.contains("/") {
      if unsafe access(name, X_OK) == 0 { return name }
    } else if !name.isEmpty {
      for folder in (variable("PATH") ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":") {
        let path = "\(folder)/\(name)"
        if unsafe access(path, X_OK) == 0 { return path }
      }
    }
    throw HeadraceError(
      .user, "TRAINING_PARAMETER", "there is no program `\(name.prefix(200))`", place: "command",
      remedy: "name a file that may be executed, or a program of PATH")
  }

  static func variable(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }
}

/// What a command is made of: its words, and the content of the files that they name.
enum CommandRevision {
  private static let fileBytesMax = 16 << 20

  static func of(_ words: [String]) throws(HeadraceError) -> String {
    var parts: [UInt8] = []
    for word in words {
      parts += Array(word.utf8) + [0]
      // Scripts, not interpreters: those are found by their names.
      guard let bytes = try? WorkFolder.read(word, bytesMax: fileBytesMax) else { continue }
      parts += Array(ContentHash.sha256(bytes).utf8) + [0]
    }
    return "command sha256 \(ContentHash.sha256(parts))"
  }
}
