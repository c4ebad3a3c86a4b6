/// A program, run for one row in the plainest way; sums of dense layers are double, so that they are right to the
/// float.
struct ReferenceProgram {
  private let program: RowProgram

  init(_ program: RowProgram) { self.program = program }

  func score(_ row: [Float]) -> [Float] {
    var values = program.widths.map { [Float](repeating: 0, count: $0) }
    values[0] = row
    for step in program.steps {
      let inputs = step.inputs.map { values[$0] }
      values[step.output] = run(step.operation, inputs, width: program.widths[step.output])
    }
    return values[program.result]
  }

  private func run(_ operation: RowProgram.Operation, _ inputs: [[Float]], width: Int) -> [Float] {
    switch operation {
    case .dense(let layer): return Self.dense(layer, inputs[0])
    case .trees(let ensemble, let stages): return ReferenceScorer.score(ensemble, stages, inputs[0]).map(Float.init)
    case .concatenate: return inputs.flatMap(\.self)
    case .binary(let operation):
      var output = [Float](repeating: 0, count: width)
      unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe inputs[0].withUnsafeBufferPointer { left in
          unsafe inputs[1].withUnsafeBufferPointer { right in
            guard let to = output.baseAddress, let a = left.baseAddress, let b = right.baseAddress else { return }
            unsafe RowOperation.combine(operation, a, left.count, b, right.count, 1, to, width)
          }
        }
      }
      return output
    default:
      var output = [Float](repeating: 0, count: width)
      unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe inputs[0].withUnsafeBufferPointer { input in unsafe RowOperation.apply(operation, input, output) }
      }
      return output
    }
  }

  private static func dense(_ layer: DenseLayer, _ input: [Float]) -> [Float] {
    (0..<layer.outputCount).map { output in
      var sum = Double(layer.bias[output])
      for index in 0..<layer.inputCount {
        sum += Double(input[index]) * Double(layer.weights[index * layer.outputCount + output])
      }
      return layer.isRectified && sum < 0 ? 0 : Float(sum)
    }
  }
}
