internal import Core
internal import RemoteModels

// Models behind endpoints: what can be known of them before one calls.

extension PlanBuilder {
  func remoteModel(
    _ declared: RemoteModelDeclaration, _ model: ModelDeclaration, _ service: ServicePlan, _ what: String
  ) -> RemoteModelPlan? {
    let configuration = declared.configuration
    do throws(HeadraceError) {
      try RemoteModel.check(configuration, featureNames: service.features.map(\.name))
    } catch {
      log.error(at: declared.url, "`remote` of \(what): \(error.message)", remedy: error.remedy)
      return nil
    }
    if let threshold = model.threshold, configuration.outputCount != 1 {
      log.error(
        at: threshold.scalar,
        "\(what) has \(configuration.outputCount) scores for each event, and a threshold is for one",
        remedy: "remove it: the label is the position of the largest score")
      return nil
    }
    if configuration.credentials != nil, let address = try? EndpointAddress(configuration.url), address.isUnencrypted {
      log.warning(
        at: declared.url.position, length: declared.url.shownLength,
        "`remote` of \(what) sends credentials over an unencrypted connection",
        remedy: "use https, or a proxy on this host")
    }
    if configuration.requestMilliseconds > configuration.batchMilliseconds {
      log.warning(
        at: declared.url.position, length: declared.url.shownLength,
        "`remote` of \(what): a request may take longer than its whole batch",
        remedy: "let `batch_timeout` be at least `timeout`")
    }
    return RemoteModelPlan(
      configuration: configuration, contentHash: ModelFiles.contentHash(Array(configuration.identity.utf8)))
  }
}

extension RemoteModelPlan {
  /// Every setting, so that a plan with another one is another plan.
  var canonicalText: String {
    let limits = [
      "batch \(configuration.batchRowsMax)", "concurrency \(configuration.concurrency)",
      "timeout \(configuration.requestMilliseconds)", "batch_timeout \(configuration.batchMilliseconds)",
      "attempts \(configuration.attemptsMax)", "backoff \(configuration.backoffMilliseconds)",
      "cache \(configuration.cacheMilliseconds ?? 0)", "cache_size \(configuration.cacheBytesMax)",
      "tensors \(configuration.tensors.rawValue)", "credentials \(credentialsText)",
    ]
    let breaker = configuration.breaker
    let rules = [
      breaker.windowCalls, breaker.callsMin, breaker.failuresPercent, Int(breaker.openMilliseconds),
      Int(breaker.openMillisecondsMax),
    ]
    return (["version \(contentHash)"] + limits + ["breaker \(rules)"]).joined(separator: " ")
  }

  private var credentialsText: String {
    guard let source = configuration.credentials else { return "none" }
    return switch source.place {
    case .environment(let name): "\(source.header) env \(name)"
    case .file(let path): "\(source.header) file \(path)"
    }
  }

  /// On one line, for people and for comparisons.
  var text: String {
    let name = configuration.version.map { "\(configuration.model) version \($0)" } ?? configuration.model
    let limits =
      "\(configuration.concurrency) x \(configuration.rowsOfRequest) rows, timeout "
      + DurationLiteral.text(configuration.requestMilliseconds) + " of "
      + DurationLiteral.text(configuration.batchMilliseconds)
    let cache = configuration.cacheMilliseconds.map { ", cache \(DurationLiteral.text($0))" } ?? ""
    return "\(configuration.url) (\(configuration.format.rawValue), \(name)), \(limits)\(cache), "
      + "version \(contentHash.prefix(16))"
  }
}
