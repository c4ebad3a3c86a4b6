internal import Core

/// Scores batches of rows with one model; for one thread at a time. Nothing is allocated by a call.
@safe
package struct Scorer: ~Copyable {
  package let compiled: CompiledModel
  private let scratch: UnsafeMutableRawPointer
  /// Floats of a chunk of rows that came as doubles.
  private let narrowed: UnsafeMutablePointer<Float>

  private let chunkRows: Int

  /// Floats of a chunk, so that wide rows take no more memory than narrow ones.
  private static let chunkFloatsMax = 1 << 18

  init(_ compiled: CompiledModel) {
    self.compiled = compiled
    let alignment = NativeMemory.alignment
    unsafe scratch = .allocate(byteCount: max(compiled.scratchBytes, alignment), alignment: alignment)
    unsafe scratch.initializeMemory(as: UInt8.self, repeating: 0, count: max(compiled.scratchBytes, alignment))
    let width = max(compiled.model.featureCount, 1)
    chunkRows = max(1, min(256, Self.chunkFloatsMax / width))
    unsafe narrowed = .allocate(capacity: width * chunkRows)
  }

  deinit {
    unsafe scratch.deallocate()
    unsafe narrowed.deallocate()
  }

  package var featureCount: Int { compiled.model.featureCount }
  package var outputCount: Int { compiled.model.outputCount }

  /// Scores `rowCount` rows of `featureCount` floats that lie one after the other; NaN is a missing value.
  ///
  /// - Parameter scores: gets `outputCount` numbers for each row, row by row.
  package mutating func score(_ matrix: Span<Float>, rowCount: Int, into scores: inout MutableSpan<Double>) {
    precondition(rowCount >= 0 && matrix.count >= rowCount * featureCount, "a matrix of too few rows")
    precondition(scores.count >= rowCount * outputCount, "no room for the scores")
    guard rowCount > 0 else { return }
    unsafe matrix.withUnsafeBufferPointer { matrix in
      unsafe scores.withUnsafeMutableBufferPointer { scores in
        guard let output = scores.baseAddress else { return }
        // A model of constants has rows of no width.
        let input = unsafe matrix.baseAddress ?? UnsafePointer(narrowed)
        unsafe score(input, rowStride: featureCount, rowCount: rowCount, output)
      }
    }
  }

  /// The same for arrays.
  package mutating func score(_ matrix: [Float], rowCount: Int, into scores: inout [Double]) {
    var span = scores.mutableSpan
    score(matrix.span, rowCount: rowCount, into: &span)
  }

  /// Scores rows of doubles, each narrowed to the nearest float first: models are trained and served on float32.
  ///
  /// - Parameters:
  ///   - matrix: the first value of the first row; the caller keeps it alive.
  ///   - rowStride: doubles from one row to the next, at least `featureCount`.
  package mutating func score(
    narrowing matrix: UnsafePointer<Double>, rowStride: Int, rowCount: Int, into scores: inout MutableSpan<Double>
  ) {
    precondition(rowStride >= featureCount && scores.count >= rowCount * outputCount, "no room for the scores")
    unsafe scores.withUnsafeMutableBufferPointer { scores in
      guard let output = scores.baseAddress else { return }
      var start = 0
      while start < rowCount {
        let count = min(chunkRows, rowCount - start)
        unsafe Narrowing.narrow(matrix + start * rowStride, rowStride, rowCount: count, width: featureCount, narrowed)
        unsafe score(narrowed, rowStride: featureCount, rowCount: count, output + start * outputCount)
        start += count
      }
    }
  }

  private func score(
    _ matrix: UnsafePointer<Float>, rowStride: Int, rowCount: Int, _ output: UnsafeMutablePointer<Double>
  ) {
    let instructions = compiled.options.instructions
    switch compiled.scoring {
    case .trees(let trees):
      unsafe trees.score(
        matrix, rowStride: rowStride, rowCount: rowCount, instructions: instructions, scratch: scratch, scores: output)
    case .program(let program):
      unsafe program.score(
        matrix, rowStride: rowStride, rowCount: rowCount, instructions: instructions, scratch: scratch, scores: output)
    }
  }
}
