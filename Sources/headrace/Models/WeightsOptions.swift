internal import ArgumentParser
internal import Core
internal import Inference

/// How weights of dense layers are kept, as the command line says it.
enum WeightsKind: String, ExpressibleByArgument, CaseIterable {
  case float32, bf16, int8

  var weights: CompileOptions.Weights {
    switch self {
    case .float32: .float32
    case .bf16: .bfloat16
    case .int8: .int8
    }
  }
}

/// The same flag on every command that compiles one model.
struct WeightsOptions: ParsableArguments {
  @Option(help: "Weights of dense layers: float32, bf16 or int8; what they cost is printed. Trees have none.")
  var weights = WeightsKind.float32

  /// - Throws: `WEIGHTS_WITHOUT_EFFECT`, and what compiling throws.
  func compile(_ model: Model, place: String) throws(HeadraceError) -> CompiledModel {
    try weights.weights.check(model, place: place)
    return try CompiledModel(model, options: CompileOptions(weights: weights.weights))
  }

  /// The same, and tells a person what smaller weights cost.
  func tryOut(_ model: Model, place: String) throws(HeadraceError) {
    Self.tell(try compile(model, place: place))
  }

  /// Beside what the command itself prints.
  static func tell(_ compiled: CompiledModel) {
    if let error = compiled.quantizationError { StandardError.write("\(error)") }
  }
}

/// `int8` for all models, `fraud=int8` for one.
struct ServedWeights: ExpressibleByArgument {
  /// nil: every model that nothing else is said of.
  var model: String?
  var kind: WeightsKind

  init?(argument: String) {
    let end = argument.lastIndex(of: "=")
    model = end.map { String(argument[..<$0]) }
    let name = end.map { argument[argument.index(after: $0)...] } ?? argument[...]
    guard model != "", let kind = WeightsKind(rawValue: String(name)) else { return nil }
    self.kind = kind
  }
}

extension [ServedWeights] {
  /// Of a model; of what is said twice the last counts.
  func weights(of model: String) -> CompileOptions.Weights {
    (last { $0.model == model } ?? last { $0.model == nil })?.kind.weights ?? .float32
  }
}
