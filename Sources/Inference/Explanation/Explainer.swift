internal import Core

/// Explains batches of rows with one model; for one thread at a time. Nothing is allocated by a call.
@safe
package struct Explainer: ~Copyable {
  package let model: ExplainableModel
  private let scratch: UnsafeMutableRawPointer

  init(_ model: ExplainableModel) {
    self.model = model
    let sizeBytes =
      switch model.body {
      case .trees(let trees): max(trees.scratchBytes, NativeMemory.alignment)
      case .linear: NativeMemory.alignment
      }
    unsafe scratch = .allocate(byteCount: sizeBytes, alignment: NativeMemory.alignment)
    unsafe scratch.initializeMemory(as: UInt8.self, repeating: 0, count: sizeBytes)
  }

  deinit { unsafe scratch.deallocate() }

  /// Explains `rowCount` rows of `featureCount` floats that lie one after the other; NaN is a missing value.
  ///
  /// - Parameter contributions: gets `model.width` numbers for each row: for each margin one for each feature, in the
  ///   order of the matrix, and behind them the base value.
  package mutating func explain(
    _ matrix: Span<Float>, rowCount: Int, into contributions: inout MutableSpan<Double>
  ) {
    let (features, width) = (model.featureCount, model.width)
    precondition(rowCount >= 0 && matrix.count >= rowCount * features, "a matrix of too few rows")
    precondition(contributions.count >= rowCount * width, "no room for the contributions")
    guard rowCount > 0 else { return }
    unsafe matrix.withUnsafeBufferPointer { matrix in
      unsafe contributions.withUnsafeMutableBufferPointer { contributions in
        guard let output = contributions.baseAddress else { return }
        unsafe output.update(repeating: 0, count: rowCount * width)
        // A model of constants has rows of no width.
        let input = unsafe matrix.baseAddress ?? UnsafePointer(scratch.assumingMemoryBound(to: Float.self))
        switch model.body {
        case .trees(let trees):
          unsafe trees.explain(
            input, featureCount: features, rowCount: rowCount, instructions: model.instructions, scratch: scratch,
            output)
        case .linear(let linear):
          unsafe linear.explain(input, featureCount: features, rowCount: rowCount, output)
          unsafe compareWithMean(UnsafeMutableBufferPointer(start: output, count: rowCount * width))
        }
      }
    }
  }

  /// What the mean row of the background contributes goes over to the base value.
  private func compareWithMean(_ contributions: UnsafeMutableBufferPointer<Double>) {
    let (mean, run) = (model.meanContributions, model.featureCount + 1)
    guard !mean.isEmpty else { return }
    for start in stride(from: 0, to: contributions.count, by: run) {
      let first = start % mean.count
      for feature in 0..<model.featureCount {
        unsafe contributions[start + feature] -= mean[first + feature]
        unsafe contributions[start + model.featureCount] += mean[first + feature]
      }
    }
  }

  /// The same for arrays.
  package mutating func explain(_ matrix: [Float], rowCount: Int, into contributions: inout [Double]) {
    var span = contributions.mutableSpan
    explain(matrix.span, rowCount: rowCount, into: &span)
  }
}
