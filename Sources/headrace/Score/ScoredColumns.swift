internal import Columns
internal import Core
internal import Delta
internal import Inference

/// Which columns of a table become a model's features, and which columns its predictions have.
struct ScoredColumns: Sendable {
  /// Columns that are read: those that are taken over, then features that are not among them.
  let read: [String]
  /// How many of `read` are taken over.
  let kept: Int
  /// For each feature of the model, a position in `read`.
  let features: [Int]
  /// Of the output.
  let schema: DeltaSchema

  static let versionName = "model_version"

  /// - Parameters:
  ///   - columns: what is taken over; nil: all.
  ///   - features: nil: as the model's file names them.
  /// - Throws: SCORE_FEATURES with all that do not fit; SCORE_COLUMNS.
  init(
    _ model: Model, _ table: DeltaTable, columns: [String]?, features names: [String]?, scoreName: String
  ) throws(HeadraceError) {
    let schema = table.snapshot.metadata.schema
    let names = try Self.featureNames(model, names, schema, table.place)
    let keptNames = columns ?? schema.fields.map(\.name)
    let known = schema.fields.map(\.name)
    for name in keptNames where schema.field(name) == nil {
      let nearest = NearestName.of(name, in: known).map { "; did you mean `\($0)`?" } ?? ""
      throw HeadraceError(
        .user, "SCORE_COLUMNS", "there is no column `\(name)`\(nearest)", place: table.place,
        remedy: "there are \(known.joined(separator: ", "))")
    }
    let scoreNames = model.outputCount == 1 ? [scoreName] : (0..<model.outputCount).map { "\(scoreName)_\($0)" }
    for name in scoreNames + [Self.versionName] where keptNames.contains(name) {
      throw HeadraceError(
        .user, "SCORE_COLUMNS", "the input has a column `\(name)` already", place: table.place,
        remedy: "choose others with --columns, or another name with --score")
    }
    var read = keptNames
    for name in names where !read.contains(name) { read.append(name) }
    self.read = read
    kept = keptNames.count
    features = names.compactMap { read.firstIndex(of: $0) }
    self.schema = try DeltaSchema(
      keptNames.compactMap { schema.field($0) } + scoreNames.map { DeltaField($0, DeltaType(.double)) }
        + [DeltaField(Self.versionName, DeltaType(.string), isNullable: false)])
  }

  private static func featureNames(
    _ model: Model, _ given: [String]?, _ schema: DeltaSchema, _ place: String
  ) throws(HeadraceError) -> [String] {
    let names = given ?? model.featureNames
    guard names.count == model.featureCount else {
      let found = names.isEmpty ? "its file names none" : "\(names.count) are named"
      throw HeadraceError(
        .user, "SCORE_FEATURES", "the model has \(model.featureCount) features, and \(found)", place: place,
        remedy: "name them in the model's order with --features")
    }
    var problems: [String] = []
    let known = schema.fields.map(\.name)
    for name in names {
      guard let field = schema.field(name) else {
        let nearest = NearestName.of(name, in: known).map { ", did you mean `\($0)`?" } ?? ""
        problems.append("there is no column `\(name)`\(nearest)")
        continue
      }
      if field.type.columnType.map({ $0.storage == .text }) ?? true {
        problems.append("column `\(name)` is \(field.type.name), no number")
      }
    }
    guard problems.isEmpty else {
      let shown = problems.prefix(20).joined(separator: "; ")
      throw HeadraceError(
        .user, "SCORE_FEATURES", problems.count > 20 ? "\(shown); and \(problems.count - 20) more" : shown,
        place: place, remedy: "name the table's columns in the model's order with --features")
    }
    return names
  }

  /// - Throws: SCORE_OUTPUT when a table of other columns is there.
  func requireSame(_ target: DeltaTable) throws(HeadraceError) {
    let found = target.snapshot.metadata.schema.fields.map { "\($0.name) \($0.type.name)" }
    let wanted = schema.fields.map { "\($0.name) \($0.type.name)" }
    guard found != wanted else { return }
    throw HeadraceError(
      .user, "SCORE_OUTPUT",
      "the table has the columns \(found.joined(separator: ", ")); predictions have \(wanted.joined(separator: ", "))",
      place: target.place, remedy: "write --into another table, or choose --columns that fit")
  }
}
