internal import NIOCore

extension StatusReplies {
  /// `GET /usefulness`: 200 while every model keeps its budgets, else 503; what nobody knows yet is no reason for 503.
  func usefulness(_ models: [ModelUsefulness]) -> Reply {
    let isUseful = models.allSatisfy(\.isUseful)
    let body = JSONDocumentWriter.object { json in
      json.member("useful", isUseful)
      json.objects("models", models) { json, model in
        json.member("model", model.model)
        json.member("version", model.version)
        json.member("useful", model.isUseful)
        for (kind, budgets) in [
          ("freshness", model.freshness), ("drift", model.drift), ("accuracy", model.accuracy),
        ] {
          json.objects(kind, budgets) { json, budget in
            json.member("name", budget.name)
            json.member("value", double: budget.value)
            json.member("limit", double: budget.limit)
            json.member("limit_is", budget.isUpperLimit ? "upper" : "lower")
            json.member("kept", optional: budget.isKept)
            json.member("determined_at", time: budget.timeMilliseconds)
            json.member("evidence", budget.evidence)
          }
        }
      }
    }
    return .json(body, status: isUseful ? 200 : 503)
  }
}
