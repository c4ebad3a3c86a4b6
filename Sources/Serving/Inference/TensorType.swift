/// The data types of the Open Inference Protocol that features and keys may have.
enum TensorType: String {
  case boolean = "BOOL"
  case uint8 = "UINT8"
  case uint16 = "UINT16"
  case uint32 = "UINT32"
  case uint64 = "UINT64"
  case int8 = "INT8"
  case int16 = "INT16"
  case int32 = "INT32"
  case int64 = "INT64"
  /// IEEE 754 binary16.
  case float16 = "FP16"
  /// The upper half of a binary32.
  case bfloat16 = "BF16"
  case float32 = "FP32"
  case float64 = "FP64"
  /// Strings; in binary tensors each behind its length in 4 bytes.
  case bytes = "BYTES"

  /// Of one value in a binary tensor; nil where it differs.
  var sizeBytes: Int? {
    switch self {
    case .boolean, .uint8, .int8: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    case .bytes: nil
    }
  }

  /// - Parameter offset: in bounds, with the whole value behind it.
  @inline(__always)
  private func load<Number: BitwiseCopyable>(_ tensor: RawSpan, _ offset: Int, as type: Number.Type) -> Number {
    unsafe tensor.unsafeLoadUnaligned(fromByteOffset: offset, as: type)
  }

  /// Appends the values of a little-endian tensor as floats, the nearest to each; nothing of strings.
  func append(_ tensor: RawSpan, to values: inout [Float]) {
    switch self {
    case .float16: appendEach(tensor, to: &values) { Self.half(load(tensor, $0, as: UInt16.self)) }
    case .bfloat16:
      appendEach(tensor, to: &values) { Float(bitPattern: UInt32(load(tensor, $0, as: UInt16.self)) << 16) }
    case .float32: appendEach(tensor, to: &values) { Float(bitPattern: load(tensor, $0, as: UInt32.self)) }
    case .float64:
      appendEach(tensor, to: &values) { Float(Double(bitPattern: load(tensor, $0, as: UInt64.self))) }
    case .int64: appendEach(tensor, to: &values) { Float(load(tensor, $0, as: Int64.self)) }
    case .int32: appendEach(tensor, to: &values) { Float(load(tensor, $0, as: Int32.self)) }
    case .int16: appendEach(tensor, to: &values) { Float(load(tensor, $0, as: Int16.self)) }
    case .int8: appendEach(tensor, to: &values) { Float(load(tensor, $0, as: Int8.self)) }
    case .uint64: appendEach(tensor, to: &values) { Float(load(tensor, $0, as: UInt64.self)) }
    case .uint32: appendEach(tensor, to: &values) { Float(load(tensor, $0, as: UInt32.self)) }
    case .uint16: appendEach(tensor, to: &values) { Float(load(tensor, $0, as: UInt16.self)) }
    case .uint8: appendEach(tensor, to: &values) { Float(load(tensor, $0, as: UInt8.self)) }
    case .boolean: appendEach(tensor, to: &values) { load(tensor, $0, as: UInt8.self) == 0 ? 0 : 1 }
    case .bytes: return
    }
  }

  /// A half as a float: exact. Written out, because not every platform has the type.
  static func half(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let (exponent, fraction) = (UInt32(bits >> 10) & 0x1f, UInt32(bits & 0x3ff))
    switch exponent {
    case 0:
      // Subnormal, in steps of 2^-24.
      let magnitude = Float(fraction) * 0x1p-24
      return sign == 0 ? magnitude : -magnitude
    case 0x1f: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }

  private func appendEach(_ tensor: RawSpan, to values: inout [Float], _ value: (Int) -> Float) {
    guard let sizeBytes else { return }
    for index in 0..<(tensor.byteCount / sizeBytes) { values.append(value(index * sizeBytes)) }
  }

  /// The value at `offset` as JSON text; for keys and what comes with them.
  func text(_ tensor: RawSpan, at offset: Int) -> String {
    switch self {
    case .float16: "\(Self.half(load(tensor, offset, as: UInt16.self)))"
    case .bfloat16: "\(Float(bitPattern: UInt32(load(tensor, offset, as: UInt16.self)) << 16))"
    case .float32: "\(Float(bitPattern: load(tensor, offset, as: UInt32.self)))"
    case .float64: "\(Double(bitPattern: load(tensor, offset, as: UInt64.self)))"
    case .int64: "\(load(tensor, offset, as: Int64.self))"
    case .int32: "\(load(tensor, offset, as: Int32.self))"
    case .int16: "\(load(tensor, offset, as: Int16.self))"
    case .int8: "\(load(tensor, offset, as: Int8.self))"
    case .uint64: "\(load(tensor, offset, as: UInt64.self))"
    case .uint32: "\(load(tensor, offset, as: UInt32.self))"
    case .uint16: "\(load(tensor, offset, as: UInt16.self))"
    case .uint8: "\(load(tensor, offset, as: UInt8.self))"
    case .boolean: load(tensor, offset, as: UInt8.self) == 0 ? "false" : "true"
    case .bytes: "null"
    }
  }
}
