/// A model file under a name and a number; never changed once it is there.
package struct ModelVersion: Sendable, Hashable {
  package var model: String
  /// 1, 2, … without holes.
  package var number: Int
  /// SHA-256 of the file in small hexadecimal: its name in the store of model files.
  package var contentHash: String
  /// What reads it: `lightgbm`, `xgboost_json`, `onnx`…
  package var format: String
  /// For people: `binary, 300 trees, depth 8`.
  package var summary: String
  package var featureCount: Int
  /// In the order of the matrix; empty when the file names none.
  package var featureNames: [String]
  /// Scores of a row.
  package var outputCount: Int
  package var addedAtMilliseconds: Int64
  package var addedBy: String
  package var note: String
  /// nil: nobody said where it comes from.
  package var lineage: VersionLineage?

  package init(
    model: String, number: Int, contentHash: String, format: String, summary: String, featureCount: Int,
    featureNames: [String], outputCount: Int, addedAtMilliseconds: Int64, addedBy: String, note: String = "",
    lineage: VersionLineage? = nil
  ) {
    self.model = model
    self.number = number
    self.contentHash = contentHash
    self.format = format
    self.summary = summary
    self.featureCount = featureCount
    self.featureNames = featureNames
    self.outputCount = outputCount
    self.addedAtMilliseconds = addedAtMilliseconds
    self.addedBy = addedBy
    self.note = note
    self.lineage = lineage
  }
}
