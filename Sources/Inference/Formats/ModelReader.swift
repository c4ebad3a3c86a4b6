package import Core

extension Model {
  /// Reads a model file, whatever its format: the content decides, not the name.
  ///
  /// - Parameters:
  ///   - place: what the file is called in errors.
  ///   - usesBestIteration: stops at XGBoost's `best_iteration`, as its scikit-learn wrapper does and its Booster does
  ///     not. LightGBM saves no later trees.
  /// - Throws: `MODEL_UNREADABLE`, `MODEL_INVALID`, `MODEL_UNSUPPORTED`, `MODEL_TOO_LARGE`, with the place in the file.
  package init(_ bytes: [UInt8], place: String, usesBestIteration: Bool = false) throws(HeadraceError) {
    do throws(HeadraceError) {
      self = try Self.read(bytes, usesBestIteration: usesBestIteration)
    } catch {
      throw error.at(place)
    }
  }

  private static func read(_ bytes: [UInt8], usesBestIteration: Bool) throws(HeadraceError) -> Model {
    guard bytes.count <= ModelLimit.fileBytesMax else { throw ModelFault.tooLarge("\(bytes.count) bytes") }
    guard let first = bytes.first else { throw ModelFault.unreadable("an empty file") }
    if isLightGBM(bytes) { return try LightGBMModel.read(bytes) }
    guard first == UInt8(ascii: "{") || isWhite(first) else { return try ONNXModel.read(bytes) }
    if first == UInt8(ascii: "{"), bytes.count > 1, isUBJSONLength(bytes[1]) {
      let document = try UBJSONDocumentReader.read(bytes)
      return try XGBoostModel.read(document, format: .xgboostUBJSON, usesBestIteration: usesBestIteration)
    }
    let document = try JSONDocumentReader.read(bytes, roundsToSingle: true)
    if case .object(let members) = document, members["learner"] != nil {
      return try XGBoostModel.read(document, format: .xgboostJSON, usesBestIteration: usesBestIteration)
    }
    if case .object(let members) = document, case .text("linear")? = members["model"] {
      return try LinearJSONModel.read(document)
    }
    throw ModelFault.unsupported(
      "JSON that is neither XGBoost's (member learner) nor a linear model (\"model\": \"linear\")",
      remedy: "known formats: LightGBM text, XGBoost JSON and UBJSON, ONNX, linear JSON")
  }

  private static func isLightGBM(_ bytes: [UInt8]) -> Bool {
    let signature = LightGBMModel.signature
    guard bytes.count > signature.count, bytes.starts(with: signature) else { return false }
    return bytes[signature.count] == UInt8(ascii: "\n") || bytes[signature.count] == UInt8(ascii: "\r")
  }

  private static func isWhite(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }

  /// The second byte tells UBJSON, where a name begins with its length, from JSON.
  private static func isUBJSONLength(_ byte: UInt8) -> Bool {
    "iUIlL#$".utf8.contains(byte)
  }
}
