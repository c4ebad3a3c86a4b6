/// A model's file, as a trainer has left it. Whether it is any good says `ModelEvaluation`.
package struct TrainedModel: Sendable, Equatable {
  /// What the trainer says of its model. It is shown beside what Headrace measures, and counts for nothing.
  package struct Claim: Sendable, Equatable {
    package var name: String
    package var value: Double

    package init(name: String, value: Double) {
      self.name = name
      self.value = value
    }
  }

  /// Of the file.
  package var path: String
  /// SHA-256 of the file in small hexadecimal.
  package var contentHash: String
  package var sizeBytes: Int
  /// `xgboost-ubjson`, `linear-json`, `lightgbm`, `onnx`: what `Inference` makes of its content.
  package var format: String
  package var claimedMetrics: [Claim]
  /// Of all attempts together, those before a kill left out.
  package var seconds: Double
  /// What made it: `headrace 0.3.0 libxgboost 1.7.4`; of a command, SHA-256 of its words and of the files they name.
  package var codeRevision: String
  /// The last lines that a command wrote, for people.
  package var log: [String]
  /// How often it was started.
  package var attempts: Int

  package init(
    path: String, contentHash: String, sizeBytes: Int, format: String, claimedMetrics: [Claim], seconds: Double,
    codeRevision: String, log: [String] = [], attempts: Int = 1
  ) {
    self.path = path
    self.contentHash = contentHash
    self.sizeBytes = sizeBytes
    self.format = format
    self.claimedMetrics = claimedMetrics
    self.seconds = seconds
    self.codeRevision = codeRevision
    self.log = log
    self.attempts = attempts
  }
}
