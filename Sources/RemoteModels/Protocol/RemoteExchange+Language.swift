internal import Core
internal import Glibc
internal import HTTPClient

// OpenAI's shapes as vLLM serves them: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html

extension RemoteExchange {
  func languageRequest(_ rows: ArraySlice<Float>, rowCount: Int) -> HTTPRequest {
    let texts = (0..<rowCount).map { text(rows, row: $0) }
    let path =
      switch configuration.task {
      case .chat: ["v1", "chat", "completions"]
      case .completions: ["v1", "completions"]
      case .embeddings: ["v1", "embeddings"]
      case .classify: ["classify"]
      }
    var json = JSONWriter()
    json.object {
      $0.member("model", configuration.model)
      switch configuration.task {
      case .chat:
        $0.key("messages")
        $0.array { writer in
          for text in texts {
            writer.object {
              $0.member("role", "user")
              $0.member("content", text)
            }
          }
        }
        writeSampling(&$0)
        if !configuration.labels.isEmpty {
          $0.member("logprobs", true)
          $0.member("top_logprobs", Self.tokensOfAnswer)
        }
      case .completions:
        $0.key("prompt")
        $0.array { writer in for text in texts { writer.string(text) } }
        writeSampling(&$0)
        if !configuration.labels.isEmpty { $0.member("logprobs", Self.tokensOfCompletion) }
      case .embeddings, .classify:
        $0.key("input")
        $0.array { writer in for text in texts { writer.string(text) } }
        if configuration.task == .embeddings { $0.member("encoding_format", "float") }
      }
    }
    return HTTPRequest("POST", url(path), headers: [("content-type", "application/json")], body: json.bytes)
  }

  /// As many alternatives as the interface gives.
  private static let tokensOfAnswer = 20
  private static let tokensOfCompletion = 5
  /// Of an answer that is a number.
  private static let numberTokens = 16

  private func writeSampling(_ json: inout JSONWriter) {
    json.member("max_tokens", configuration.labels.isEmpty ? Self.numberTokens : 1)
    json.member("temperature", 0)
    json.member("stream", false)
  }

  /// - Returns: nil when the answer does not have scores for every row.
  func languageAnswer(_ response: HTTPResponse, rowCount: Int) -> RemoteAnswer? {
    guard let document = try? JSONDocument(response.body, depthMax: Self.depthMax) else { return nil }
    let isChoice = configuration.task == .chat || configuration.task == .completions
    guard let items = document[isChoice ? "choices" : "data"]?.elements, items.count == rowCount else { return nil }
    var ofRow = [[Double]?](repeating: nil, count: rowCount)
    for (position, item) in items.enumerated() {
      // Answers say which row they are of; they need not be in order.
      let index = item["index"].map { $0.integer.flatMap { Int(exactly: $0) } ?? -1 } ?? position
      guard ofRow.indices.contains(index), ofRow[index] == nil, let scores = scores(item),
        scores.count == configuration.outputCount
      else { return nil }
      ofRow[index] = scores
    }
    return RemoteAnswer(scores: ofRow.compactMap(\.self).flatMap(\.self), usage: Self.usage(document["usage"]))
  }

  private func scores(_ item: JSONDocument) -> [Double]? {
    switch configuration.task {
    case .embeddings: return Self.doubles(item["embedding"])
    case .classify: return Self.doubles(item["probs"])
    case .chat, .completions: break
    }
    let text = item["message"]?["content"]?.string ?? item["text"]?.string
    guard !configuration.labels.isEmpty else {
      let number = text.map { $0.filter { !$0.isWhitespace } }.flatMap(Double.init)
      return number.flatMap { $0.isFinite ? [$0] : nil }
    }
    if let tokens = Self.alternatives(item), let scores = probabilities(tokens) { return scores }
    guard let text, let label = label(of: text) else { return nil }
    return configuration.labels.indices.map { $0 == label ? 1 : 0 }
  }

  private static func doubles(_ document: JSONDocument?) -> [Double]? {
    guard let items = document?.elements else { return nil }
    let numbers = items.compactMap(\.double).filter(\.isFinite)
    return numbers.count == items.count ? numbers : nil
  }

  /// The tokens that might have been first, with the logarithms of their probabilities.
  private static func alternatives(_ item: JSONDocument) -> [(token: String, logarithm: Double)]? {
    if let first = item["logprobs"]?["content"]?.elements?.first, let tokens = first["top_logprobs"]?.elements {
      return tokens.compactMap { token in
        guard let text = token["token"]?.string, let number = token["logprob"]?.double else { return nil }
        return (text, number)
      }
    }
    guard let first = item["logprobs"]?["top_logprobs"]?.elements?.first, case .object(let members) = first.content
    else {
      return nil
    }
    return members.compactMap { member in member.value.double.map { (member.name, $0) } }
  }

  /// What the labels have of the probability, each by the tokens that it may begin with; nil when no token is one.
  private func probabilities(_ tokens: [(token: String, logarithm: Double)]) -> [Double]? {
    var sums = [Double](repeating: 0, count: configuration.labels.count)
    for (token, logarithm) in tokens where logarithm <= 0 {
      guard let label = label(of: token) else { continue }
      sums[label] += exp(logarithm)
    }
    let whole = sums.reduce(0, +)
    return whole > 0 ? sums.map { $0 / whole } : nil
  }

  /// The one label that begins like the text, or the text like it.
  private func label(of text: String) -> Int? {
    let word = text.split(whereSeparator: \.isWhitespace).joined(separator: " ").lowercased()
    guard !word.isEmpty else { return nil }
    let labels = configuration.labels.map { $0.lowercased() }
    if let exact = labels.firstIndex(of: word) { return exact }
    let matching = labels.indices.filter { labels[$0].hasPrefix(word) || word.hasPrefix(labels[$0]) }
    return matching.count == 1 ? matching[0] : nil
  }

  private static func usage(_ document: JSONDocument?) -> RemoteUse {
    func count(_ document: JSONDocument?) -> Int64 { max(document?.integer ?? 0, 0) }
    return RemoteUse(
      promptTokens: count(document?["prompt_tokens"]), completionTokens: count(document?["completion_tokens"]),
      cachedTokens: count(document?["prompt_tokens_details"]?["cached_tokens"]))
  }
}
