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
  case float32 = "FP32"
  case float64 = "FP64"
  /// Strings; in binary tensors each behind its length in 4 bytes.
  case bytes = "BYTES"

  /// Of one value in a binary tensor; nil where it differs.
  var sizeBytes: Int? {
    switch self {
    case .boolean, .uint8, .int8: 1
    case .uint16, .int16: 2
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

  private func appendEach(_ tensor: RawSpan, to values: inout [Float], _ value: (Int) -> Float) {
    guard let sizeBytes else { return }
    for index in 0..<(tensor.byteCount / sizeBytes) { values.append(value(index * sizeBytes)) }
  }

  /// The value at `offset` as JSON text; for keys and what comes with them.
  func text(_ tensor: RawSpan, at offset: Int) -> String {
    switch self {
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
