internal import Core

/// ONNX as tabular exporters write it: one row in, one row out, whatever the graph between them.
enum ONNXModel {
  static func read(_ bytes: [UInt8]) throws(HeadraceError) -> Model {
    let graph = try ONNXGraph(bytes)
    var lowering = try ONNXLowering(graph)
    let program = try lowering.program()
    let objective = lowering.objective
    // Trees over the features themselves, and nothing behind them, need no buffers between steps.
    if program.steps.count == 1, program.result == 1,
      case .trees(let ensemble, let stages) = program.steps[0].operation,
      program.steps[0].inputs == [0]
    {
      return Model(
        format: .onnx, objective: objective, body: .trees(ensemble, stages: stages), featureCount: program.widths[0],
        featureNames: lowering.featureNames, outputCount: program.widths[1])
    }
    return Model(
      format: .onnx, objective: objective, body: .program(program), featureCount: program.widths[0],
      featureNames: lowering.featureNames, outputCount: program.widths[program.result])
  }
}
