internal import CKernels
internal import Core

/// A dense layer as the kernels want it.
// Sendable: everything in the tables is written in `init` and only read from then on.
@safe
final class DenseKernel: @unchecked Sendable {
  private let memory: NativeMemory
  private var layer: ckernels_dense

  var sizeBytes: Int { memory.sizeBytes }

  private static let alignment = Int(CKERNELS_DENSE_ALIGNMENT)
  private static let panelOutputs = Int(CKERNELS_PANEL_OUTPUTS)
  private static let dotOutputsMax = Int(CKERNELS_DOT_OUTPUTS_MAX)
  private static let int8Maximum: Float = 127

  init(_ description: DenseLayer, weights kind: CompileOptions.Weights) {
    var memory = NativeMemory()
    var layer = unsafe ckernels_dense()
    let outputs = Self.padded(description.outputCount)
    unsafe layer.input_count = UInt32(description.inputCount)
    unsafe layer.output_count = UInt32(description.outputCount)
    unsafe layer.is_rectified = description.isRectified
    unsafe layer.bias = memory.copy(description.bias + [Float](repeating: 0, count: outputs - description.bias.count))
    let packed = Self.packed(description)
    switch kind {
    case .float32:
      unsafe layer.weight_kind = UInt32(CKERNELS_WEIGHTS_FLOAT32)
      unsafe layer.weights = UnsafeRawPointer(memory.copy(packed.map { $0.weight }))
    case .bfloat16:
      unsafe layer.weight_kind = UInt32(CKERNELS_WEIGHTS_BFLOAT16)
      unsafe layer.weights = UnsafeRawPointer(memory.copy(packed.map { Self.upperHalf($0.weight) }))
    case .int8:
      let scales = Self.scales(description) + [Float](repeating: 0, count: outputs - description.outputCount)
      unsafe layer.weight_kind = UInt32(CKERNELS_WEIGHTS_INT8)
      unsafe layer.scales = memory.copy(scales)
      unsafe layer.weights = UnsafeRawPointer(
        memory.copy(packed.map { scales[$0.output] == 0 ? 0 : Int8(($0.weight / scales[$0.output]).rounded()) }))
    }
    unsafe self.layer = unsafe layer
    self.memory = memory
  }

  func score(
    _ input: UnsafePointer<Float>, rowCount: Int, instructions: InstructionSet, output: UnsafeMutablePointer<Float>
  ) {
    unsafe withUnsafePointer(to: layer) { layer in
      unsafe ckernels_score_dense(
        instructions.rawValue, layer, input, Int(layer.pointee.input_count), rowCount, output,
        Int(layer.pointee.output_count))
    }
  }

  /// The layer with the weights that the kernel computes with, as float32.
  static func kept(_ layer: DenseLayer, as kind: CompileOptions.Weights) -> DenseLayer {
    var kept = layer
    switch kind {
    case .float32: break
    case .bfloat16: kept.weights = layer.weights.map { Float(bitPattern: UInt32(upperHalf($0)) << 16) }
    case .int8:
      let scales = Self.scales(layer)
      for index in kept.weights.indices {
        let scale = scales[index % layer.outputCount]
        kept.weights[index] = scale == 0 ? 0 : (layer.weights[index] / scale).rounded() * scale
      }
    }
    return kept
  }

  private static func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

  /// The weights in the order of the kernel, padded with zeros.
  private static func packed(_ layer: DenseLayer) -> [(weight: Float, output: Int)] {
    var packed: [(weight: Float, output: Int)] = []
    func append(_ input: Int, _ output: Int) {
      let isThere = input < layer.inputCount && output < layer.outputCount
      packed.append((isThere ? layer.weights[input * layer.outputCount + output] : 0, output))
    }
    if layer.outputCount <= dotOutputsMax {
      for output in 0..<layer.outputCount {
        for input in 0..<padded(layer.inputCount) { append(input, output) }
      }
    } else {
      let outputs = padded(layer.outputCount)
      for first in stride(from: 0, to: outputs, by: panelOutputs) {
        for input in 0..<layer.inputCount {
          for output in first..<min(first + panelOutputs, outputs) { append(input, output) }
        }
      }
    }
    return packed
  }

  /// Rounded to the nearest, ties to even.
  private static func upperHalf(_ weight: Float) -> UInt16 {
    let bits = weight.bitPattern
    return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
  }

  /// The greatest weight of an output is 127.
  private static func scales(_ layer: DenseLayer) -> [Float] {
    (0..<layer.outputCount).map { output in
      var greatest: Float = 0
      for input in 0..<layer.inputCount {
        greatest = max(greatest, layer.weights[input * layer.outputCount + output].magnitude)
      }
      return greatest / int8Maximum
    }
  }
}
