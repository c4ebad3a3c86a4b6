internal import Core

/// What of an ONNX file matters here (onnx.proto, IR 3 to 10): nodes, constants, inputs, outputs.
struct ONNXGraph {
  private(set) var nodes: [ONNXNode] = []
  private(set) var constants: [String: ONNXTensor] = [:]
  private(set) var inputs: [ONNXValue] = []
  private(set) var outputs: [ONNXValue] = []
  private(set) var producer = ""

  init(_ file: [UInt8]) throws(HeadraceError) {
    var reader = ProtobufReader(file, 0..<file.count)
    var graph: Range<Int>?
    while let field = try reader.next() {
      switch field.number {
      case 2: producer = try field.text(file)
      case 7: graph = try field.range()
      default: break
      }
    }
    guard let graph else {
      throw ModelFault.unreadable(
        "neither LightGBM's text, nor JSON, nor UBJSON, nor ONNX: no graph in it", place: "byte 0")
    }
    var fields = ProtobufReader(file, graph)
    while let field = try fields.next() {
      switch field.number {
      case 1: nodes.append(try ONNXNode(file, try field.range()))
      case 5:
        let tensor = try ONNXTensor(file, try field.range())
        constants[tensor.name] = tensor
      case 11: inputs.append(try ONNXValue(file, try field.range()))
      case 12: outputs.append(try ONNXValue(file, try field.range()))
      default: break
      }
    }
    inputs.removeAll { constants[$0.name] != nil }
  }
}

/// An input or an output with its type.
struct ONNXValue {
  var name = ""
  /// 0 when it is no tensor: ZipMap makes sequences of maps.
  var elementType = 0
  /// nil where a dimension has no number.
  var dimensions: [Int?] = []

  init(_ file: [UInt8], _ range: Range<Int>) throws(HeadraceError) {
    var reader = ProtobufReader(file, range)
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try field.text(file)
      case 2:
        var type = ProtobufReader(file, try field.range())
        while let kind = try type.next() { if kind.number == 1 { try readTensorType(file, try kind.range()) } }
      default: break
      }
    }
  }

  private mutating func readTensorType(_ file: [UInt8], _ range: Range<Int>) throws(HeadraceError) {
    var reader = ProtobufReader(file, range)
    while let field = try reader.next() {
      switch field.number {
      case 1: elementType = try field.integer()
      case 2:
        var shape = ProtobufReader(file, try field.range())
        while let dimension = try shape.next() {
          guard dimension.number == 1 else { continue }
          var parts = ProtobufReader(file, try dimension.range())
          var size: Int?
          while let part = try parts.next() { if part.number == 1 { size = try part.integer() } }
          dimensions.append(size)
        }
      default: break
      }
    }
  }
}

/// One operator with its attributes.
struct ONNXNode {
  private(set) var kind = ""
  private(set) var name = ""
  private(set) var domain = ""
  private(set) var inputs: [String] = []
  private(set) var outputs: [String] = []
  private var attributes: [String: ONNXAttribute] = [:]
  private let offset: Int

  init(_ file: [UInt8], _ range: Range<Int>) throws(HeadraceError) {
    offset = range.lowerBound
    var reader = ProtobufReader(file, range)
    while let field = try reader.next() {
      switch field.number {
      case 1: inputs.append(try field.text(file))
      case 2: outputs.append(try field.text(file))
      case 3: name = try field.text(file)
      case 4: kind = try field.text(file)
      case 5:
        let attribute = try ONNXAttribute(file, try field.range())
        attributes[attribute.name] = attribute
      case 7: domain = try field.text(file)
      default: break
      }
    }
  }

  var place: String { "node \(name.isEmpty ? kind : name) (\(kind), byte \(offset))" }

  func attribute(_ name: String) -> ONNXAttribute? { attributes[name] }
  func integer(_ name: String, default fallback: Int) -> Int { attributes[name]?.integer ?? fallback }
  func float(_ name: String, default fallback: Float) -> Float { attributes[name]?.float ?? fallback }
  func text(_ name: String, default fallback: String) -> String { attributes[name]?.text ?? fallback }
  func integers(_ name: String) -> [Int] {
    if let integers = attributes[name]?.integers, !integers.isEmpty { return integers }
    return attributes[name]?.tensor?.values.map(Int.init(saturating:)) ?? []
  }
  /// Also where a tensor of doubles is allowed in place of floats (`…_as_tensor`).
  func floats(_ name: String) -> [Float] {
    if let floats = attributes[name]?.floats, !floats.isEmpty { return floats }
    return (attributes[name]?.tensor ?? attributes["\(name)_as_tensor"]?.tensor)?.values.map(Float.init) ?? []
  }

  func invalid(_ message: String) -> HeadraceError { ModelFault.invalid("ONNX: \(message)", place: place) }
  func unsupported(_ message: String, remedy: String) -> HeadraceError {
    ModelFault.unsupported("ONNX: \(message)", place: place, remedy: remedy)
  }
}

struct ONNXAttribute {
  private(set) var name = ""
  private(set) var float: Float?
  private(set) var integer: Int?
  private(set) var text: String?
  private(set) var tensor: ONNXTensor?
  private(set) var floats: [Float] = []
  private(set) var integers: [Int] = []
  private(set) var texts: [String] = []

  init(_ file: [UInt8], _ range: Range<Int>) throws(HeadraceError) {
    var reader = ProtobufReader(file, range)
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try field.text(file)
      case 2: float = try field.float()
      case 3: integer = try field.integer()
      case 4: text = try field.text(file)
      case 5: tensor = try ONNXTensor(file, try field.range())
      case 7: try field.appendFloats(file, to: &floats)
      case 8: try field.appendIntegers(file, to: &integers)
      case 9: texts.append(try field.text(file))
      default: break
      }
    }
  }
}

extension Int {
  /// The nearest integer; NaN is 0.
  init(saturating number: Double) {
    self = number.isNaN ? 0 : number >= 0x1p62 ? .max : number <= -0x1p62 ? .min : Int(number)
  }
}
