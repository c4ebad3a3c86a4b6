internal import Core
internal import Drift
internal import NIOCore
internal import Registry
internal import Runtime

extension StatusReplies {
  /// Which versions score, and what the rollouts under way have come to.
  func models() -> ByteBuffer {
    let models = report.models
    return JSONDocumentWriter.object { json in
      json.member("position", models.position)
      json.member("trouble", models.trouble)
      json.objects("models", models.models) { json, model in
        json.member("name", model.name)
        json.member("use", model.use)
        json.member("version", model.champion?.number.map { Int64($0) })
        json.member("content_hash", model.champion?.contentHash)
        json.member("challenger", model.challenger?.number.map { Int64($0) })
        json.member("challenger_kind", model.challengerKind)
        json.member("share_per_mille", model.sharePerMille.map { Int64($0) })
        json.objects("shadows", model.shadows) { json, shadow in
          json.member("version", shadow.number.map { Int64($0) })
          json.member("content_hash", shadow.contentHash)
        }
        if !model.timeouts.isEmpty {
          json.objects("timeouts", model.timeouts) { json, timeout in
            json.member("arm", timeout.arm)
            json.member("version", timeout.version.map { Int64($0) })
            json.member("timeout_ms", timeout.batchMilliseconds)
            json.member("overruns", Int64(timeout.overruns))
            json.member("longest_ms", number: timeout.longestMilliseconds)
            json.member("state", timeout.isOpen ? "left_alone" : "scores")
          }
        }
      }
      json.objects("rollouts", models.rollouts) { json, rollout in Self.write(rollout, &json) }
    }
  }

  private static func write(_ report: RolloutReport, _ json: inout JSONDocumentWriter) {
    let figures = report.figures
    json.member("model", report.model)
    json.member("alias", report.alias)
    json.member("name", report.name)
    json.member("kind", report.rollout.kind.rawValue)
    json.member("version", Int64(report.rollout.version))
    json.member("champion", Int64(report.champion))
    json.member("share_per_mille", Int64(report.rollout.sharePerMille))
    json.member("began", time: report.beganMilliseconds)
    json.object("champion_arm") { write(figures.champion, &$0) }
    json.object("challenger_arm") { write(figures.challenger, &$0) }
    json.member("score_psi", number: figures.scorePSI)
    if !report.rollout.answers {
      json.object("difference") { json in
        json.member("compared", Int64(figures.compared))
        json.member("agreement", number: figures.agreement)
        json.member("mean", number: figures.meanDifference)
        json.member("max", number: figures.compared == 0 ? nil : figures.differenceMaximum)
        for (name, fraction) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
          json.member(name, number: figures.differences.quantile(fraction))
        }
      }
    }
    json.objects("gates", report.findings) { json, finding in
      json.member("metric", finding.gate.metric.rawValue)
      json.member("at_most", number: finding.gate.atMost)
      json.member("predictions_min", Int64(finding.gate.predictionsMin))
      json.member("value", number: finding.value)
      if let drift = finding.drift {
        json.member("certain", number: drift.finding.lowerBound)
        json.member("possible", number: drift.finding.upperBound)
        json.member("feature", drift.feature)
        json.member("predictions", Int64(drift.finding.candidateCount))
        json.member("champion_predictions", Int64(drift.finding.championCount))
        json.member("keys", Int64(drift.finding.clusterCount))
        json.objects("offsets", drift.offsets) { json, place in
          json.member("partition", Int64(place.partition))
          json.member("first", place.range.lowerBound)
          json.member("last", place.range.upperBound)
        }
      }
      json.member("state", finding.isBroken ? "broken" : finding.holds ? "holds" : "undecided")
    }
    let (verdict, reason): (String, String?) =
      switch report.verdict {
      case .undecided: ("undecided", nil)
      case .promote(let reason): ("promote", reason)
      case .rollBack(let reason): ("roll_back", reason)
      }
    json.member("verdict", verdict)
    json.member("reason", reason)
    json.member("decides", report.rollout.decides.rawValue)
  }

  private static func write(_ arm: RolloutFigures.Arm, _ json: inout JSONDocumentWriter) {
    json.member("predictions", Int64(arm.predictions))
    json.member("failures", Int64(arm.failures))
    for (name, fraction) in [("score_p10", 0.1), ("score_p50", 0.5), ("score_p90", 0.9)] {
      json.member(name, number: arm.scores.quantile(fraction))
    }
    json.member("scoring_ms_p99", number: arm.scoringMilliseconds99)
  }
}
