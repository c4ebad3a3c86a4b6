internal import Core

/// An ensemble with its stages, compiled.
@safe
struct TreeScoring: Sendable {
  let kernel: TreeKernel
  let stages: [OutputStage]
  let precision: TreeEnsemble.Precision
  /// Values of a row in the end, and where it is widest.
  let width: Int
  let widthMax: Int

  /// Rows that pass through the spare buffer at once, when rows change their width.
  private static let chunkRows = 256

  init(_ ensemble: TreeEnsemble, stages: [OutputStage]) throws(HeadraceError) {
    kernel = try TreeKernel(ensemble)
    self.stages = stages
    precision = ensemble.precision
    var width = ensemble.outputCount
    var widest = width
    for stage in stages {
      width = stage.width(after: width)
      widest = max(widest, width)
    }
    self.width = width
    widthMax = widest
  }

  private var changesWidth: Bool { width != kernel.outputCount || widthMax != width }

  /// Behind the kernel's own scratch, rows at their widest.
  var scratchBytes: Int {
    let aligned = (kernel.scratchBytes + 63) / 64 * 64
    let spare = (kernel.outputCount + widthMax) * Self.chunkRows * MemoryLayout<Double>.stride
    return aligned + (changesWidth ? spare : 0)
  }

  func score(
    _ matrix: UnsafePointer<Float>, rowStride: Int, rowCount: Int, instructions: InstructionSet,
    scratch: UnsafeMutableRawPointer, scores: UnsafeMutablePointer<Double>
  ) {
    guard changesWidth else {
      unsafe kernel.score(
        matrix, rowStride: rowStride, rowCount: rowCount, instructions: instructions, scratch: scratch, sums: scores)
      for stage in stages {
        unsafe stage.apply(scores, rowCount: rowCount, width: width, stride: width, precision: precision)
      }
      return
    }
    let aligned = (kernel.scratchBytes + 63) / 64 * 64
    let sums = unsafe (scratch + aligned).assumingMemoryBound(to: Double.self)
    let wide = unsafe sums + kernel.outputCount * Self.chunkRows
    var start = 0
    while start < rowCount {
      let count = min(Self.chunkRows, rowCount - start)
      unsafe kernel.score(
        matrix + start * rowStride, rowStride: rowStride, rowCount: count, instructions: instructions, scratch: scratch,
        sums: sums)
      unsafe finish(sums, wide, count, scores + start * width)
      start += count
    }
  }

  /// Rows of sums to rows as wide as they get, through the stages, to rows of scores.
  private func finish(
    _ sums: UnsafeMutablePointer<Double>, _ wide: UnsafeMutablePointer<Double>, _ rowCount: Int,
    _ scores: UnsafeMutablePointer<Double>
  ) {
    for row in 0..<rowCount {
      for i in 0..<kernel.outputCount { unsafe wide[row * widthMax + i] = sums[row * kernel.outputCount + i] }
    }
    var current = kernel.outputCount
    for stage in stages {
      unsafe stage.apply(wide, rowCount: rowCount, width: current, stride: widthMax, precision: precision)
      current = stage.width(after: current)
    }
    for row in 0..<rowCount {
      for i in 0..<width { unsafe scores[row * width + i] = wide[row * widthMax + i] }
    }
  }
}
