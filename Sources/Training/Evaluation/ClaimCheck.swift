/// What trainers say of their models, beside what we find.
enum ClaimCheck {
  /// Names of others for the metrics of the report.
  private static let synonyms: [String: String] = [
    "roc_auc": "auc", "auroc": "auc", "logloss": "log_loss", "binary_logloss": "log_loss", "multi_logloss": "log_loss",
    "mlogloss": "log_loss", "brier_score": "brier", "acc": "accuracy", "l1": "mae", "mean_absolute_error": "mae",
    "root_mean_squared_error": "rmse", "f1_score": "f1", "pr_auc": "average_precision",
  ]
  /// In front of a name: which rows it is about. Figures of training rows are better than the truth, and nobody lies
  /// who says them.
  private static let ownRows = ["train_", "training_", "valid_", "validation_", "val_", "cv_"]

  private static let higherIsBetter = [
    "auc": true, "average_precision": true, "accuracy": true, "precision": true, "recall": true, "f1": true, "r2": true,
  ]

  static func findings(_ report: EvaluationReport) -> [TrainingFinding] {
    report.models.flatMap { model in
      model.claims.compactMap { claim -> TrainingFinding? in
        let lowered = claim.name.lowercased()
        guard !ownRows.contains(where: lowered.hasPrefix) else { return nil }
        let name = lowered.hasPrefix("test_") ? String(lowered.dropFirst("test_".count)) : lowered
        guard let metric = model[synonyms[name] ?? name] else { return nil }
        // Better than the better end of the interval, and by more than the last digit.
        let isHigher = higherIsBetter[metric.name] ?? false
        let bound = (isHigher ? metric.high : metric.low) ?? metric.value
        let excess = isHigher ? claim.value - bound : bound - claim.value
        guard excess > 1e-6 * max(1, bound.magnitude) else { return nil }
        return TrainingFinding(
          .claim, .warning, subject: model.name,
          message: "its trainer says \(claim.name) \(claim.value), Headrace finds \(metric.value)",
          evidence: [
            ("claimed", "\(claim.value)"), ("found", "\(metric.value)"),
            ("interval", "\(metric.low ?? metric.value) to \(metric.high ?? metric.value)"),
          ])
      }
    }
  }
}

/// Slices on which the challenger is worse than the champion.
enum SliceCheck {
  static func findings(_ report: EvaluationReport) -> [TrainingFinding] {
    let metric = report.objective == .binary ? "auc" : report.objective == .regression ? "mae" : "log_loss"
    return report.slices.compactMap { slice in
      guard
        let difference = slice.differences.first(where: { $0.role == .champion && $0.metric == metric }),
        difference.isWorse()
      else { return nil }
      return TrainingFinding(
        .slice, .warning, subject: slice.name,
        message: "on these \(slice.rowCount) rows the challenger's \(metric) is worse than the champion's",
        evidence: [
          ("difference", "\(difference.value)"), ("interval", "\(difference.low) to \(difference.high)"),
          ("rows", "\(slice.rowCount)"),
        ])
    }
  }
}
