internal import Core
internal import HTTPClient

/// Scores out of an answer.
struct RemoteAnswer: Sendable, Equatable {
  /// Row by row.
  var scores: [Double]
  var usage = RemoteUse()
}

/// Rows into requests and answers into scores, for one endpoint. Pure.
struct RemoteExchange: Sendable {
  let configuration: RemoteModelConfiguration
  private let address: EndpointAddress
  private let prompt: RowText
  let featureCount: Int

  /// - Throws: `REMOTE_URL_INVALID`, `REMOTE_MODEL_INVALID`.
  init(_ configuration: RemoteModelConfiguration, featureNames: [String]) throws(HeadraceError) {
    if let fault = configuration.fault { throw fault }
    self.configuration = configuration
    address = try EndpointAddress(configuration.url)
    prompt = try RowText(configuration.prompt, featureNames: featureNames)
    featureCount = featureNames.count
  }

  /// - Parameter rows: row by row; NaN is a missing value.
  func request(_ rows: ArraySlice<Float>, rowCount: Int, secret: Secret?) -> HTTPRequest {
    var request =
      switch configuration.format {
      case .oip: tensorRequest(rows, rowCount: rowCount)
      case .openai: languageRequest(rows, rowCount: rowCount)
      }
    request.headers.append(("accept", "application/json, application/octet-stream"))
    if let secret { request.headers.append(secret.field) }
    return request
  }

  /// - Returns: what the answer means for the batch, and the scores when it has them.
  func answer(_ response: HTTPResponse, rowCount: Int) -> (outcome: BatchCall.Outcome, answer: RemoteAnswer?) {
    switch response.status {
    case 200..<300:
      guard var answer = scores(response, rowCount: rowCount) else { return (.permanent(.unusableAnswer), nil) }
      answer.usage.gpuMicroseconds = Self.gpuMicroseconds(response)
      return (.scored, answer)
    case 408: return (.transient(.timeout), nil)
    case 429: return (.overloaded(retryAfterMilliseconds: Self.retryAfterMilliseconds(response)), nil)
    case 503:
      guard let pause = Self.retryAfterMilliseconds(response) else { return (.transient(.serverError), nil) }
      return (.overloaded(retryAfterMilliseconds: pause), nil)
    case 500...: return (.transient(.serverError), nil)
    default: return (.permanent(.refused), nil)
    }
  }

  private func scores(_ response: HTTPResponse, rowCount: Int) -> RemoteAnswer? {
    let answer =
      switch configuration.format {
      case .oip: tensorAnswer(response, rowCount: rowCount)
      case .openai: languageAnswer(response, rowCount: rowCount)
      }
    guard let answer, answer.scores.count == rowCount * configuration.outputCount else { return nil }
    return answer
  }

  /// In seconds (RFC 9110, 10.2.3); a date counts as not said.
  static func retryAfterMilliseconds(_ response: HTTPResponse) -> Int64? {
    guard let text = response.header("retry-after"), let seconds = Double(text), seconds >= 0 else { return nil }
    return Int64(min(seconds, 86_400) * 1_000)
  }

  func url(_ parts: [String]) -> String { address.url(parts) }

  /// What a row says in words.
  func text(_ rows: ArraySlice<Float>, row: Int) -> String {
    let start = rows.startIndex + row * featureCount
    return prompt.text(rows[start..<start + featureCount])
  }

  static let depthMax = 64
}

extension JSONDocument {
  /// NaN of null.
  var double: Double? {
    switch content {
    case .number(let text): Double(text)
    case .null: .nan
    default: nil
    }
  }
}

extension JSONWriter {
  /// JSON has no NaN and no infinity: a missing value is null.
  mutating func number(_ value: Float) {
    if value.isFinite { raw(value.description.utf8) } else { null() }
  }
}
