/// The addresses of the Open Inference Protocol, version 2.
///
/// https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
enum InferenceRoute: Equatable {
  case server, live, ready
  /// Of the model repository extension: what there is.
  case repositoryIndex
  case model(String, version: String?)
  case modelReady(String, version: String?)
  case infer(String, version: String?)

  /// - Parameter path: with whatever query; nil for what does not begin with `/v2`.
  init?(path: String) {
    let parts = path.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(
      String.init)
    guard parts.first == "v2" else { return nil }
    switch parts.dropFirst() {
    case [], [""]: self = .server
    case ["health", "live"]: self = .live
    case ["health", "ready"]: self = .ready
    case ["repository", "index"]: self = .repositoryIndex
    case let rest where rest.first == "models" && rest.count >= 2:
      var names = Array(rest.dropFirst())
      let name = names.removeFirst()
      var version: String?
      if names.count >= 2, names[0] == "versions" {
        version = names[1]
        names.removeFirst(2)
      }
      switch names {
      case []: self = .model(name, version: version)
      case ["ready"]: self = .modelReady(name, version: version)
      case ["infer"]: self = .infer(name, version: version)
      default: return nil
      }
    default: return nil
    }
  }

  /// Whether an address without query is one that asks for inference, by its looks.
  static func isInference(_ address: String) -> Bool {
    address.utf8.starts(with: "/v2/models/".utf8) && address.hasSuffix("/infer")
  }

  var isInfer: Bool {
    if case .infer = self { true } else { false }
  }

  var isPost: Bool { isInfer || self == .repositoryIndex }

  /// Whoever asks how the server is has to be told, however much there is to do.
  var isExemptFromAdmission: Bool { !isInfer }

  /// Whether it is answered without a login: what probes ask.
  var isOpenToAll: Bool { self == .live || self == .ready }

  /// Every address, with names for what differs.
  static let templates: [(path: String, isPost: Bool)] =
    [
      ("/v2", false), ("/v2/health/live", false), ("/v2/health/ready", false), ("/v2/repository/index", true),
    ]
    + ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"].flatMap {
      [($0, false), ("\($0)/ready", false), ("\($0)/infer", true)]
    }
}
