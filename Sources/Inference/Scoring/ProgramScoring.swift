internal import CKernels
internal import Core

/// A program, compiled: its steps run over a chunk of rows at a time, from buffer to buffer.
@safe
struct ProgramScoring: Sendable {
  private enum Work: Sendable {
    case dense(DenseKernel)
    case trees(TreeScoring)
    case plain(RowProgram.Operation)
  }

  private let program: RowProgram
  private let work: [Work]
  /// Where each value begins in the scratch, in floats; value 0 is the matrix itself.
  private let offsets: [Int]
  /// Behind the values: doubles of an ensemble, and its own scratch.
  private let sumsOffsetBytes: Int
  private let treesOffsetBytes: Int
  let scratchBytes: Int
  let sizeBytes: Int

  private static let chunkRows = 64

  init(_ program: RowProgram, weights: CompileOptions.Weights) throws(HeadraceError) {
    self.program = program
    var work: [Work] = []
    var sizeBytes = 0
    var treesBytes = 0
    var sumsWidth = 0
    for step in program.steps {
      switch step.operation {
      case .dense(let layer):
        let kernel = DenseKernel(layer, weights: weights)
        sizeBytes += kernel.sizeBytes
        work.append(.dense(kernel))
      case .trees(let ensemble, let stages):
        let trees = try TreeScoring(ensemble, stages: stages)
        sizeBytes += trees.kernel.sizeBytes
        treesBytes = max(treesBytes, trees.scratchBytes)
        sumsWidth = max(sumsWidth, trees.width)
        work.append(.trees(trees))
      default: work.append(.plain(step.operation))
      }
    }
    var offsets = [0]
    var end = 0
    for width in program.widths.dropFirst() {
      offsets.append(end)
      end += (width * Self.chunkRows + 15) / 16 * 16
    }
    self.work = work
    self.offsets = offsets
    self.sizeBytes = sizeBytes
    sumsOffsetBytes = end * MemoryLayout<Float>.stride
    let sumsBytes = (sumsWidth * Self.chunkRows * MemoryLayout<Double>.stride + 63) / 64 * 64
    treesOffsetBytes = sumsOffsetBytes + sumsBytes
    scratchBytes = treesOffsetBytes + treesBytes
  }

  func score(
    _ matrix: UnsafePointer<Float>, rowStride: Int, rowCount: Int, instructions: InstructionSet,
    scratch: UnsafeMutableRawPointer, scores: UnsafeMutablePointer<Double>
  ) {
    let width = program.widths[program.result]
    var start = 0
    while start < rowCount {
      let count = min(Self.chunkRows, rowCount - start)
      let input = unsafe matrix + start * rowStride
      for index in program.steps.indices { unsafe run(index, input, count, instructions, scratch) }
      let result = unsafe value(program.result, input, scratch)
      let output = unsafe scores + start * width
      for i in 0..<count * width { unsafe output[i] = Double(result[i]) }
      start += count
    }
  }

  private func value(
    _ index: Int, _ input: UnsafePointer<Float>, _ scratch: UnsafeMutableRawPointer
  ) -> UnsafePointer<Float> {
    index == 0 ? unsafe input : unsafe UnsafePointer(buffer(index, scratch))
  }

  private func buffer(_ index: Int, _ scratch: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Float> {
    unsafe scratch.assumingMemoryBound(to: Float.self) + offsets[index]
  }

  private func run(
    _ index: Int, _ input: UnsafePointer<Float>, _ rowCount: Int, _ instructions: InstructionSet,
    _ scratch: UnsafeMutableRawPointer
  ) {
    let step = program.steps[index]
    let output = unsafe buffer(step.output, scratch)
    let first = unsafe value(step.inputs[0], input, scratch)
    let widthIn = program.widths[step.inputs[0]]
    let widthOut = program.widths[step.output]
    switch work[index] {
    case .dense(let kernel):
      unsafe kernel.score(first, rowCount: rowCount, instructions: instructions, output: output)
    case .trees(let trees):
      let sums = unsafe (scratch + sumsOffsetBytes).assumingMemoryBound(to: Double.self)
      unsafe trees.score(
        first, rowStride: widthIn, rowCount: rowCount, instructions: instructions, scratch: scratch + treesOffsetBytes,
        scores: sums)
      for i in 0..<rowCount * widthOut { unsafe output[i] = Float(sums[i]) }
    case .plain(.concatenate):
      var column = 0
      for source in step.inputs {
        let width = program.widths[source]
        let from = unsafe value(source, input, scratch)
        for row in 0..<rowCount {
          for i in 0..<width { unsafe output[row * widthOut + column + i] = from[row * width + i] }
        }
        column += width
      }
    case .plain(.binary(let operation)):
      let second = unsafe value(step.inputs[1], input, scratch)
      unsafe RowOperation.combine(
        operation, first, widthIn, second, program.widths[step.inputs[1]], rowCount, output, widthOut)
    case .plain(.unary(.sigmoid)):
      unsafe output.update(from: first, count: rowCount * widthOut)
      unsafe ckernels_sigmoid(instructions.rawValue, output, rowCount * widthOut)
    case .plain(let operation):
      for row in 0..<rowCount {
        unsafe RowOperation.apply(
          operation, UnsafeBufferPointer(start: first + row * widthIn, count: widthIn),
          UnsafeMutableBufferPointer(start: output + row * widthOut, count: widthOut))
      }
    }
  }
}
