internal import Core

enum ONNXModel {
  static func read(_ bytes: [UInt8]) throws(HeadraceError) -> Model {
    throw ModelFault.unreadable("neither LightGBM text, nor JSON, nor UBJSON")
  }
}
