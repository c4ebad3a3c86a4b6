package import Core
internal import Crypto
internal import Glibc
package import Inference

/// Where the files of models are found: in the folder of a topology, or written down in a plan that was applied.
package struct ModelFiles: Sendable {
  private enum Origin: Sendable {
    case folder(String)
    case recorded([String: ModelFile])
  }

  /// A model and what to call its file.
  package struct Loaded: Sendable {
    package var model: Model
    package var file: ModelFile
  }

  /// Larger than any model that is scored inside of a stream.
  private static let fileBytesMax = 1 << 30

  private let origin: Origin

  /// - Parameter topology: its file; paths are relative to the folder that it is in.
  package init(besideTopology topology: String) { origin = .folder(Self.folder(of: topology)) }

  /// - Parameter recorded: by the model's name in the topology.
  init(recorded: [String: ModelFile]) { origin = .recorded(recorded) }

  /// What is written down of a model; nil when its file is to be read.
  func recorded(_ name: String) -> ModelFile? {
    if case .recorded(let files) = origin { return files[name] }
    return nil
  }

  /// Reads and checks the file of a model.
  ///
  /// - Throws: `MODEL_FILE_MISSING`, `MODEL_FILE_UNREADABLE`, and what `Model` throws.
  package func load(_ path: String) throws(HeadraceError) -> Loaded {
    let place = place(of: path)
    let bytes = try Self.read(place)
    let model = try Model(bytes, place: place)
    let file = ModelFile(
      path: path, contentHash: Self.contentHash(bytes), summary: model.summary, featureCount: model.featureCount,
      outputCount: model.outputCount)
    return Loaded(model: model, file: file)
  }

  /// The path from here.
  package func place(of path: String) -> String {
    guard case .folder(let folder) = origin, !path.hasPrefix("/"), !folder.isEmpty else { return path }
    return "\(folder)/\(path)"
  }

  /// `topologies/flights.yaml` → `topologies`; empty for a file of the current folder.
  private static func folder(of file: String) -> String {
    guard let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
    return slash == file.startIndex ? "/." : String(file[..<slash])
  }

  /// The bytes of a model's file.
  package static func read(_ path: String) throws(HeadraceError) -> [UInt8] {
    guard let file = unsafe fopen(path, "re") else {
      let code = errno == ENOENT ? "MODEL_FILE_MISSING" : "MODEL_FILE_UNREADABLE"
      throw HeadraceError(
        .user, code, errno == ENOENT ? "there is no such file" : "the file cannot be read: \(reason(errno))",
        place: path, remedy: "paths are relative to the folder of the topology")
    }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe fread(&chunk, 1, chunk.count, file)
      bytes += chunk[..<count]
      guard unsafe ferror(file) == 0 else {
        throw HeadraceError(
          .external, "MODEL_FILE_UNREADABLE", "the file cannot be read: \(reason(errno))", place: path)
      }
      guard bytes.count <= fileBytesMax else {
        throw HeadraceError(.user, "MODEL_TOO_LARGE", "the file has more than \(fileBytesMax) bytes", place: path)
      }
      if count < chunk.count { return bytes }
    }
  }

  /// SHA-256 in hexadecimal.
  package static func contentHash(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in SHA256.hash(data: bytes) {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func reason(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}
