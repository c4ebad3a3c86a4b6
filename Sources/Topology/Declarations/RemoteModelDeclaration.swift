internal import Core
internal import RemoteModels

/// `remote: {url: http://scores:8000, protocol: oip, model: fraud, …}`: an endpoint as a model. What is not said has
/// the defaults of `RemoteModelConfiguration`.
struct RemoteModelDeclaration {
  var configuration: RemoteModelConfiguration
  var url: YAMLScalar

  init?(_ node: YAMLNode, model: String, _ what: String, log: DiagnosticLog) {
    guard var reader = MappingReader(node, "`remote` of \(what)", log: log) else { return nil }
    let url = reader.text("url", isRequired: true)
    let format = reader.choice("protocol", of: RemoteProtocol.self)
    if format == nil, reader.node("protocol") == nil {
      log.error(at: reader.position, "`remote` of \(what) has no `protocol`", expected: "`oip` or `openai`")
    }
    let name = reader.text("model")?.text ?? model
    var configuration = RemoteModelConfiguration(url: url?.text ?? "", format: format?.value ?? .oip, model: name)
    configuration.version = reader.text("version")?.text
    reader.take("outputs", 1...4_096, into: &configuration.outputCount)
    reader.take("max_batch", 1...65_536, into: &configuration.batchRowsMax)
    reader.take("concurrency", 1...1_024, into: &configuration.concurrency)
    reader.take("attempts", 1...20, into: &configuration.attemptsMax)
    reader.take("timeout", 1...600_000, into: &configuration.requestMilliseconds)
    reader.take("batch_timeout", 1...600_000, into: &configuration.batchMilliseconds)
    reader.take("backoff", 1...60_000, into: &configuration.backoffMilliseconds)
    configuration.cacheMilliseconds = reader.duration("cache")?.value
    if let size = reader.text("cache_size") {
      if let bytes = Quantity.bytes(size.text).flatMap({ Int(exactly: $0) }), bytes > 0 {
        configuration.cacheBytesMax = bytes
      } else {
        log.error(
          at: size, "`cache_size` of \(reader.context) is no size", expected: "a number of bytes, such as `64MiB`")
      }
    }
    if let tensors = reader.choice("tensors", of: TensorEncoding.self) { configuration.tensors = tensors.value }
    if let input = reader.text("input") { configuration.inputName = input.text }
    configuration.outputName = reader.text("output")?.text
    if let task = reader.choice("task", of: OpenAITask.self) { configuration.task = task.value }
    configuration.prompt = reader.text("prompt")?.text
    if let labels = reader.texts("labels") {
      configuration.labels = labels.map(\.text)
      if reader.node("outputs") == nil { configuration.outputCount = labels.count }
    }
    configuration.credentials = reader.node("credentials").flatMap { Self.credentials($0, what, log) }
    if let breaker = reader.node("breaker") { Self.read(breaker, into: &configuration.breaker, what, log) }
    reader.finish()
    guard let url, format != nil else { return nil }
    self.url = url
    self.configuration = configuration
  }

  /// `credentials: {env: TOKEN}` or `{file: /run/secrets/token, header: x-api-key}`; a secret itself is refused.
  private static func credentials(_ node: YAMLNode, _ what: String, _ log: DiagnosticLog) -> CredentialSource? {
    guard case .mapping = node.content else {
      log.error(
        at: node.position, "`credentials` of \(what) must say where the secret is kept", found: node.kindName,
        expected: "`{env: NAME}` or `{file: PATH}`", remedy: "a topology is no place for a secret: it is copied around")
      return nil
    }
    guard var reader = MappingReader(node, "`credentials` of \(what)", log: log) else { return nil }
    let environment = reader.text("env")
    let file = reader.text("file")
    let header = reader.text("header")
    reader.finish()
    let places =
      [environment.map { CredentialSource.Place.environment($0.text) }] + [
        file.map { CredentialSource.Place.file($0.text) }
      ]
    let found = places.compactMap(\.self)
    guard let place = found.first, found.count == 1 else {
      log.error(
        at: node.position, "`credentials` of \(what) needs one of `env` and `file`",
        found: found.isEmpty ? "none" : "both")
      return nil
    }
    var source = CredentialSource(place)
    if let header {
      guard header.text.utf8.allSatisfy({ $0 == 0x2d || Character(Unicode.Scalar($0)).isLetter && $0 < 0x80 }) else {
        log.error(at: header, "`header` of \(what) is no name of a header", found: "`\(header.shortText)`")
        return nil
      }
      source.header = header.text.lowercased()
    }
    return source
  }

  /// `breaker: {window: 20, calls: 5, failures: 50, open: 1s, open_max: 30s}`.
  private static func read(
    _ node: YAMLNode, into policy: inout BreakerPolicy, _ what: String, _ log: DiagnosticLog
  ) {
    guard var reader = MappingReader(node, "`breaker` of \(what)", log: log) else { return }
    reader.take("window", 1...10_000, into: &policy.windowCalls)
    reader.take("calls", 1...10_000, into: &policy.callsMin)
    reader.take("failures", 1...100, into: &policy.failuresPercent)
    reader.take("open", 1...3_600_000, into: &policy.openMilliseconds)
    reader.take("open_max", 1...3_600_000, into: &policy.openMillisecondsMax)
    reader.finish()
    if policy.callsMin > policy.windowCalls {
      log.error(
        at: node.position, "`breaker` of \(what) never opens",
        found: "\(policy.callsMin) calls before it decides, and \(policy.windowCalls) that count")
    }
  }
}

extension MappingReader {
  /// A whole number within bounds.
  fileprivate mutating func take(_ key: String, _ range: ClosedRange<Int>, into value: inout Int) {
    guard let scalar = text(key) else { return }
    guard let number = Int(scalar.text), range.contains(number) else {
      log.error(
        at: scalar, "`\(key)` of \(context) is out of range", found: "`\(scalar.shortText)`",
        expected: "\(range.lowerBound) to \(range.upperBound)")
      return
    }
    value = number
  }

  /// A duration within bounds.
  fileprivate mutating func take(_ key: String, _ range: ClosedRange<Int64>, into value: inout Int64) {
    guard let duration = duration(key) else { return }
    guard range.contains(duration.value) else {
      log.error(
        at: duration.scalar, "`\(key)` of \(context) is out of range", found: "`\(duration.scalar.shortText)`",
        expected: "\(DurationLiteral.text(range.lowerBound)) to \(DurationLiteral.text(range.upperBound))")
      return
    }
    value = duration.value
  }
}
