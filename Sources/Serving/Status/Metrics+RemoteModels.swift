internal import Runtime

extension Metrics {
  /// Calls to endpoints, and what they cost.
  func writeRemoteModels(_ text: inout MetricsText) {
    let models = report.remoteModels
    guard !models.isEmpty else { return }
    text.family("headrace_remote_model_requests", .counter, "Requests to a model's endpoint.") { samples in
      for model in models {
        samples.add(model.requests - model.repetitions, ("model", model.model), ("attempt", "first"))
        samples.add(model.repetitions, ("model", model.model), ("attempt", "repeated"))
      }
    }
    text.family("headrace_remote_model_rows", .counter, "Rows for a model's endpoint by what became of them.") {
      samples in
      for model in models {
        samples.add(model.rowsScored, ("model", model.model), ("outcome", "scored"))
        samples.add(model.rowsFromCache, ("model", model.model), ("outcome", "cached"))
        samples.add(model.rowsFailed, ("model", model.model), ("outcome", "failed"))
      }
    }
    text.family("headrace_remote_model_tokens", .counter, "Tokens as a model's endpoint counts them.") { samples in
      for model in models {
        samples.add(model.promptTokens, ("model", model.model), ("kind", "prompt"))
        samples.add(model.completionTokens, ("model", model.model), ("kind", "completion"))
        samples.add(model.cachedTokens, ("model", model.model), ("kind", "cached"))
      }
    }
    text.family("headrace_remote_model_gpu_seconds", .counter, "GPU time as a model's endpoint counts it.") { samples in
      for model in models where model.gpuMicroseconds > 0 {
        samples.add(Double(model.gpuMicroseconds) / 1e6, ("model", model.model))
      }
    }
    text.family(
      "headrace_remote_model_breaker_openings", .counter,
      "How often a model's endpoint failed so that it was left alone."
    ) { samples in
      for model in models { samples.add(model.breakerOpenings, ("model", model.model)) }
    }
  }
}
