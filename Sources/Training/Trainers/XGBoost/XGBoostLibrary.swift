internal import CXGBoost
internal import Core

/// The library's handles with an owner each, and its answers as errors.
enum XGBoostLibrary {
  /// `1.7.4`
  static var version: String {
    var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
    unsafe XGBoostVersion(&major, &minor, &patch)
    return "\(major).\(minor).\(patch)"
  }

  /// - Throws: `TRAINER_FAILED` with the first line of what the library says.
  static func check(_ code: Int32, _ what: String) throws(HeadraceError) {
    guard code != 0 else { return }
    let text = unsafe XGBGetLastError().map { unsafe String(cString: $0) } ?? "no reason"
    let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? text
    throw HeadraceError(
      .external, "TRAINER_FAILED", "\(what): \(line.prefix(400))", place: "libxgboost \(version)")
  }
}

/// Rows with labels, in the library's own form.
@safe
final class XGBoostMatrix {
  let handle: DMatrixHandle
  let rowCount: Int

  init(_ matrix: FeatureMatrix, threadCount: Int) throws(HeadraceError) {
    var handle: DMatrixHandle?
    let code = unsafe matrix.values.withUnsafeBufferPointer { values in
      unsafe XGDMatrixCreateFromMat_omp(
        values.baseAddress, UInt64(matrix.rowCount), UInt64(matrix.featureCount), .nan, &handle, Int32(threadCount))
    }
    try XGBoostLibrary.check(code, "the rows are refused")
    guard let handle = unsafe handle else {
      throw HeadraceError(.internal, "TRAINER_FAILED", "the library made no matrix")
    }
    unsafe self.handle = unsafe handle
    rowCount = matrix.rowCount
    let labelled = unsafe matrix.labels.withUnsafeBufferPointer { labels in
      unsafe XGDMatrixSetFloatInfo(handle, "label", labels.baseAddress, UInt64(labels.count))
    }
    try XGBoostLibrary.check(labelled, "the labels are refused")
  }

  deinit { _ = unsafe XGDMatrixFree(handle) }
}

/// A model in the making.
@safe
final class XGBoostBooster {
  private let handle: BoosterHandle
  /// The library keeps predictions of these rows: they must live as long.
  private let matrices: [XGBoostMatrix]

  /// - Parameters:
  ///   - parameters: in the library's own words.
  ///   - model: what it goes on from.
  init(
    _ matrices: [XGBoostMatrix], parameters: [(name: String, value: String)], model: [UInt8]? = nil
  ) throws(HeadraceError) {
    self.matrices = matrices
    var handle: BoosterHandle?
    let handles: [DMatrixHandle?] = unsafe matrices.map { unsafe $0.handle }
    try XGBoostLibrary.check(unsafe XGBoosterCreate(handles, UInt64(handles.count), &handle), "no booster")
    guard let handle = unsafe handle else {
      throw HeadraceError(.internal, "TRAINER_FAILED", "the library made no booster")
    }
    unsafe self.handle = unsafe handle
    if let model {
      let code = unsafe model.withUnsafeBytes { bytes in
        unsafe XGBoosterLoadModelFromBuffer(handle, bytes.baseAddress, UInt64(bytes.count))
      }
      try XGBoostLibrary.check(code, "the checkpoint is refused")
    }
    for (name, value) in parameters {
      try XGBoostLibrary.check(unsafe XGBoosterSetParam(handle, name, value), "the parameter \(name)=\(value)")
    }
  }

  private init(taking handle: BoosterHandle) {
    unsafe self.handle = unsafe handle
    matrices = []
  }

  deinit { _ = unsafe XGBoosterFree(handle) }

  func nameFeatures(_ names: [String]) throws(HeadraceError) {
    let count = UInt64(names.count)
    let code = unsafe CStringList.with(names) { names in
      unsafe XGBoosterSetStrFeatureInfo(handle, "feature_name", CStringList.constant(names), count)
    }
    try XGBoostLibrary.check(code, "the names of the features")
  }

  /// Adds one round of trees.
  func update(round: Int, _ matrix: XGBoostMatrix) throws(HeadraceError) {
    try XGBoostLibrary.check(unsafe XGBoosterUpdateOneIter(handle, Int32(round), matrix.handle), "round \(round)")
  }

  /// The value of the evaluation metric on some rows.
  func evaluate(round: Int, _ matrix: XGBoostMatrix) throws(HeadraceError) -> Double {
    var text: UnsafePointer<CChar>?
    var handles: [DMatrixHandle?] = unsafe [matrix.handle]
    let code = unsafe CStringList.with(["rows"]) { names in
      unsafe XGBoosterEvalOneIter(handle, Int32(round), &handles, CStringList.constant(names), 1, &text)
    }
    try XGBoostLibrary.check(code, "evaluation of round \(round)")
    // `[12]	rows-logloss:0.4312`
    let line = unsafe text.map { unsafe String(cString: $0) } ?? ""
    guard let number = line.split(separator: ":").last.flatMap({ Double($0) }), number.isFinite else {
      throw HeadraceError(.external, "TRAINER_FAILED", "round \(round) evaluates to `\(line.prefix(100))`")
    }
    return number
  }

  /// The model as UBJSON.
  func save() throws(HeadraceError) -> [UInt8] {
    var count: UInt64 = 0
    var bytes: UnsafePointer<CChar>?
    let code = unsafe XGBoosterSaveModelToBuffer(handle, "{\"format\":\"ubj\"}", &count, &bytes)
    try XGBoostLibrary.check(code, "the model cannot be saved")
    guard let bytes = unsafe bytes else {
      throw HeadraceError(.internal, "TRAINER_FAILED", "the library saved no model")
    }
    return unsafe Array(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
  }

  /// The first rounds alone.
  func firstRounds(_ count: Int) throws(HeadraceError) -> XGBoostBooster {
    var sliced: BoosterHandle?
    try XGBoostLibrary.check(unsafe XGBoosterSlice(handle, 0, Int32(count), 1, &sliced), "the first \(count) rounds")
    guard let sliced = unsafe sliced else {
      throw HeadraceError(.internal, "TRAINER_FAILED", "the library made no slice")
    }
    return unsafe XGBoostBooster(taking: sliced)
  }
}

@available(*, unavailable, message: "the library's last error belongs to the thread")
extension XGBoostMatrix: Sendable {}
@available(*, unavailable, message: "the library's last error belongs to the thread")
extension XGBoostBooster: Sendable {}
