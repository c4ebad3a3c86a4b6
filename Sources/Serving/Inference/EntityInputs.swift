internal import Columns
internal import Contracts
internal import Features
internal import NIOCore
internal import Runtime

/// Features that are looked up: the inputs of the request are the join keys of the model's service, one tensor of shape
/// [rows] for each, named as the key, and one for each value that the service takes from requests.
///
/// Turned into a request for online features, so that keys, types, defaults and errors have one set of rules.
enum EntityInputs {
  /// Whether an input is named as a join key of the model's service.
  static func isMeant(by request: borrowing InferenceRequest, _ lookup: FeatureLookup, in body: Span<UInt8>) -> Bool {
    for input in request.inputs {
      if let name = input.name?.string(in: body), lookup.joinKeys.contains(name) { return true }
    }
    return false
  }

  /// Reads the service's features, and makes them the request's matrix.
  ///
  /// - Parameters:
  ///   - source: of the rows.
  ///   - isOver: whether nobody waits for the answer any more.
  static func read(
    _ request: inout InferenceRequest, _ lookup: FeatureLookup, in body: Span<UInt8>, offer: Offer,
    source: any OnlineFeatureSource, limits: ServingConfiguration.Limits, isOver: () -> Bool
  ) throws(Problem) {
    let text = try featureRequest(request, lookup, in: body)
    let bytes = text.readableBytesUInt8Span
    var features = FeatureRequest()
    try features.parse(bytes, limits: limits)
    let shape = try offer.shapes.shape(of: features, in: bytes)
    var answer = FeatureAnswer(catalog: offer.catalog, source: source)
    try answer.begin(features, in: bytes, shape: shape)
    try answer.readAll(at: .now, isOver: isOver)
    let places = shape.columns.map { answer.place($0.origin) }
    request.setMatrix(
      rowCount: answer.rowCount,
      { row, column in
        let value = answer.values[places[column].index(row)].value
        return Float((value == .null ? shape.columns[column].defaultValue : value).number)
      }, columnCount: shape.columns.count)
  }

  /// `{"feature_service": …, "entities": {key: [values…]}}`
  private static func featureRequest(
    _ request: borrowing InferenceRequest, _ lookup: FeatureLookup, in body: Span<UInt8>
  ) throws(Problem) -> ByteBuffer {
    var text = ByteBuffer()
    text.write("{\"feature_service\":")
    text.writeQuoted(lookup.service)
    text.write(",\"entities\":{")
    for (index, input) in request.inputs.enumerated() {
      guard let name = input.name else { throw .inference("input \(index) has no name") }
      let isList = input.shape.count == 1 || (input.shape.count == 2 && input.shape[1] == 1)
      guard isList, let count = Int(exactly: input.shape[0]), count >= 0 else {
        throw .inference("input \(index) has shape \(input.shape), expected [rows]: one value for each row")
      }
      guard let type = input.type else { throw .inference("input \(index) has no datatype that is known") }
      if index > 0 { text.write(",") }
      text.write(name.source(in: body))
      text.write(":[")
      if input.binarySizeBytes != nil {
        try write(input, type, index, count, in: body, to: &text)
      } else if let data = input.data {
        try writeFlat(body.extracting(data), index, count, to: &text)
      } else {
        throw .inference("input \(index) has no data")
      }
      text.write("]")
    }
    text.write("}}")
    return text
  }

  /// The elements of an array of JSON, those of arrays inside of it one after the other.
  private static func writeFlat(
    _ data: Span<UInt8>, _ index: Int, _ count: Int, to text: inout ByteBuffer
  ) throws(Problem) {
    var written = 0
    do throws(JSONSyntaxError) {
      var scanner = JSONScanner(data, depthMax: 8)
      try writeElements(&scanner, &written, to: &text)
    } catch {
      throw .inference("input \(index) is no array of values")
    }
    guard written == count else { throw .inference("input \(index) has \(written) values, its shape says \(count)") }
  }

  private static func writeElements(
    _ scanner: inout JSONScanner, _ written: inout Int, to text: inout ByteBuffer
  ) throws(JSONSyntaxError) {
    try scanner.enter(UInt8(ascii: "["))
    var isFirst = true
    while try scanner.nextElement(isFirst: isFirst) {
      isFirst = false
      if scanner.nextKind() == .array {
        try writeElements(&scanner, &written, to: &text)
      } else {
        if written > 0 { text.write(",") }
        text.write(try scanner.value().source(in: scanner.text))
        written += 1
      }
    }
  }

  private static func write(
    _ input: InferenceRequest.Input, _ type: TensorType, _ index: Int, _ count: Int, in body: Span<UInt8>,
    to text: inout ByteBuffer
  ) throws(Problem) {
    let end = input.binaryOffset + (input.binarySizeBytes ?? 0)
    let tensor = body.extracting(input.binaryOffset..<end)
    let wrong = Problem.inference(
      "input \(index) has \(tensor.count) bytes, which are not \(count) of \(type.rawValue)")
    if let size = type.sizeBytes {
      guard count <= tensor.count, count * size == tensor.count else { throw wrong }
      for row in 0..<count {
        if row > 0 { text.write(",") }
        unsafe text.writeString(type.text(tensor.bytes, at: row * size))
      }
      return
    }
    var offset = 0
    for row in 0..<count {
      guard tensor.count - offset >= 4 else { throw wrong }
      let length = Int(unsafe tensor.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
      guard length <= tensor.count - offset - 4 else { throw wrong }
      let value = tensor.extracting((offset + 4)..<(offset + 4 + length))
      guard (try? UTF8Span(validating: value)) != nil else {
        throw .inference("a string of input \(index) is not UTF-8")
      }
      if row > 0 { text.write(",") }
      text.writeQuoted(value)
      offset += 4 + length
    }
    guard offset == tensor.count else { throw wrong }
  }
}

/// Where a model's features can be looked up.
package struct FeatureLookup: Sendable {
  package var service: String
  /// Of all views that the service reads.
  package var joinKeys: Set<String>

  /// nil for a service whose values all come with requests.
  init?(service: Int, of catalog: ServingCatalog) {
    guard catalog.services.indices.contains(service) else { return nil }
    self.service = catalog.services[service].name
    joinKeys = []
    for feature in catalog.services[service].features { addKeys(of: feature.origin, catalog) }
    if joinKeys.isEmpty { return nil }
  }

  private mutating func addKeys(of origin: ServingCatalog.Origin, _ catalog: ServingCatalog) {
    switch origin {
    case .feature(let view, _): joinKeys.formUnion(catalog.views[view].joinKeys.map(\.name))
    case .request: return
    case .onDemand(let index): for input in catalog.onDemand[index].inputs { addKeys(of: input, catalog) }
    }
  }
}

extension Value {
  /// As models take it; NaN of null and of what is no number.
  fileprivate var number: Double {
    switch self {
    case .boolean(let flag): flag ? 1 : 0
    case .integer(let number), .timestamp(let number), .date(let number): Double(number)
    case .double(let number): number
    case .decimal(let unscaled, let scale): (0..<scale).reduce(Double(unscaled)) { number, _ in number / 10 }
    case .null, .string, .bytes, .list: .nan
    }
  }
}
