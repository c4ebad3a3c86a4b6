internal import Core

/// What smaller weights cost: scores with them against scores with float32 weights, over rows from a normal
/// distribution.
package struct QuantizationError: Sendable, CustomStringConvertible {
  package var weights: CompileOptions.Weights
  package var rowCount: Int
  package var maximum: Double
  package var mean: Double

  package var description: String {
    "\(weights.rawValue) weights: scores differ by \(mean) on average, at most \(maximum), over \(rowCount) rows"
  }

  static func measured(
    _ program: RowProgram, _ compiled: ProgramScoring, _ options: CompileOptions
  ) throws(HeadraceError) -> Self {
    let rowCount = 256
    let exact = try ProgramScoring(program, weights: .float32)
    let input = normalRows(count: rowCount * program.widths[0])
    let expected = scores(exact, program, input, rowCount, options.instructions)
    let found = scores(compiled, program, input, rowCount, options.instructions)
    let differences = zip(expected, found).map { abs($0 - $1) }
    return Self(
      weights: options.weights, rowCount: rowCount, maximum: differences.max() ?? 0,
      mean: differences.reduce(0, +) / Double(max(differences.count, 1)))
  }

  /// Sums of twelve uniform numbers: close enough to a normal distribution.
  private static func normalRows(count: Int) -> [Float] {
    var generator = SplitMix64(seed: 1)
    return (0..<count).map { _ in (0..<12).reduce(-6) { sum, _ in sum + Float.random(in: 0..<1, using: &generator) } }
  }

  private static func scores(
    _ scoring: ProgramScoring, _ program: RowProgram, _ input: [Float], _ rowCount: Int, _ instructions: InstructionSet
  ) -> [Double] {
    var output = [Double](repeating: 0, count: rowCount * program.widths[program.result])
    let scratch = UnsafeMutableRawPointer.allocate(
      byteCount: max(scoring.scratchBytes, NativeMemory.alignment), alignment: NativeMemory.alignment)
    defer { unsafe scratch.deallocate() }
    unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        guard let from = input.baseAddress, let to = output.baseAddress else { return }
        unsafe scoring.score(
          from, rowStride: program.widths[0], rowCount: rowCount, instructions: instructions, scratch: scratch,
          scores: to)
      }
    }
    return output
  }
}
