/// How a model file is written.
package enum ModelFormat: String, Sendable, CaseIterable {
  /// LightGBM's text (`save_model`), v2 to v4.
  case lightGBM = "lightgbm"
  /// XGBoost's JSON, 1.0 and later.
  case xgboostJSON = "xgboost-json"
  /// The same document as UBJSON, XGBoost's default since 2.1.
  case xgboostUBJSON = "xgboost-ubjson"
  /// ONNX: the operators that scikit-learn, LightGBM, XGBoost and PyTorch exporters write for tabular models.
  case onnx
  /// `{"model": "linear", …}`: weights in plain JSON.
  case linearJSON = "linear-json"
}
