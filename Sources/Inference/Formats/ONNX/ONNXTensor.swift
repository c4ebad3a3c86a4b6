internal import Core

/// A constant of a graph: numbers as doubles, which hold every element type that is read.
struct ONNXTensor {
  var name = ""
  var dimensions: [Int] = []
  var values: [Double] = []
  /// Strings are known to be there, and not read.
  var isText = false

  private enum ElementType {
    static let float = 1
    static let uint8 = 2
    static let int8 = 3
    static let int32 = 6
    static let int64 = 7
    static let text = 8
    static let bool = 9
    static let double = 11
  }

  init(_ file: [UInt8], _ range: Range<Int>) throws(HeadraceError) {
    var reader = ProtobufReader(file, range)
    var type = 0
    var raw: Range<Int>?
    var floats: [Float] = []
    var integers: [Int] = []
    while let field = try reader.next() {
      switch field.number {
      case 1: try field.appendIntegers(file, to: &dimensions)
      case 2: type = try field.integer()
      case 4: try field.appendFloats(file, to: &floats)
      case 5, 7: try field.appendIntegers(file, to: &integers)
      case 8: name = try field.text(file)
      case 9: raw = try field.range()
      case 10: try field.appendDoubles(file, to: &values)
      case 13:
        throw ModelFault.unsupported(
          "ONNX: tensor data in another file", place: "byte \(field.offset)", remedy: "save the model as one file")
      default: break
      }
    }
    isText = type == ElementType.text
    values += floats.map(Double.init)
    values += integers.map(Double.init)
    if let raw { try read(file, raw, type) }
    guard !isText else { return }
    var count = 1
    for dimension in dimensions {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      guard dimension >= 0, !overflow else {
        throw ProtobufReader.fault("a tensor of \(dimensions)", at: range.lowerBound)
      }
      count = product
    }
    guard count == values.count else {
      throw ProtobufReader.fault("a tensor of \(dimensions) with \(values.count) values", at: range.lowerBound)
    }
  }

  private mutating func read(_ file: [UInt8], _ raw: Range<Int>, _ type: Int) throws(HeadraceError) {
    let sizes = [
      ElementType.float: 4, ElementType.uint8: 1, ElementType.int8: 1, ElementType.int32: 4, ElementType.int64: 8,
      ElementType.bool: 1, ElementType.double: 8,
    ]
    guard let size = sizes[type] else {
      throw ModelFault.unsupported(
        "ONNX: tensors of element type \(type)", place: "byte \(raw.lowerBound)", remedy: "export the model as float32")
    }
    guard raw.count % size == 0 else { throw ProtobufReader.fault("raw data that does not fit", at: raw.lowerBound) }
    values.reserveCapacity(values.count + raw.count / size)
    for start in stride(from: raw.lowerBound, to: raw.upperBound, by: size) {
      var bits: UInt64 = 0
      for index in 0..<size { bits |= UInt64(file[start + index]) << UInt64(8 * index) }
      values.append(Self.number(bits, type))
    }
  }

  private static func number(_ bits: UInt64, _ type: Int) -> Double {
    switch type {
    case ElementType.float: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case ElementType.double: Double(bitPattern: bits)
    case ElementType.int8: Double(Int8(truncatingIfNeeded: bits))
    case ElementType.int32: Double(Int32(truncatingIfNeeded: bits))
    case ElementType.int64: Double(Int64(bitPattern: bits))
    default: Double(bits)
    }
  }
}
