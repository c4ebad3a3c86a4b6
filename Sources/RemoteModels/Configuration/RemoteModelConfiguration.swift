package import Core

/// How a remote endpoint is spoken to.
package enum RemoteProtocol: String, Sendable, CaseIterable {
  /// Open Inference Protocol v2 over HTTP: Triton, KServe, MLServer, Headrace.
  case oip
  /// OpenAI's shapes: vLLM and whatever is compatible with it.
  case openai
}

/// Numbers of the Open Inference Protocol.
package enum TensorEncoding: String, Sendable, CaseIterable {
  /// The bytes of the tensor behind the JSON.
  case binary
  case json
}

/// What is asked of an OpenAI-compatible endpoint.
package enum OpenAITask: String, Sendable, CaseIterable {
  /// `/v1/chat/completions`: the probabilities of the labels as the next token, or a number as the answer.
  case chat
  /// `/v1/completions`: the same for a plain prompt, many rows in a request.
  case completions
  /// `/v1/embeddings`: the vector is the scores.
  case embeddings
  /// `/classify` of vLLM: the probabilities of the classes.
  case classify
}

/// Where the secret of an endpoint is; never the secret itself.
package struct CredentialSource: Sendable, Hashable {
  package enum Place: Sendable, Hashable {
    case environment(String)
    case file(String)
  }

  package var place: Place
  /// `authorization` sends `Bearer SECRET`, any other header the secret alone.
  package var header = "authorization"

  package init(_ place: Place) { self.place = place }
}

/// A remote endpoint as a model, and how patient one is with it. Every default is here and nowhere else.
package struct RemoteModelConfiguration: Sendable, Hashable {
  /// `http://host:8000`, with a path in front of the protocol's own if there is one.
  package var url: String
  package var format: RemoteProtocol
  /// What the endpoint calls the model.
  package var model: String
  package var version: String?
  /// Scores of a row.
  package var outputCount = 1
  /// Rows of one request; chats have one row each.
  package var batchRowsMax = 256
  /// Requests under way at the same time, of all tasks of the process together.
  package var concurrency = 4
  /// One attempt of one request.
  package var requestMilliseconds: Int64 = 2_000
  /// All rows that came with one poll: what is not scored then gets the fallback. A commit waits no longer.
  package var batchMilliseconds: Int64 = 10_000
  package var attemptsMax = 3
  /// Before the second attempt, on average; each further one waits twice as long.
  package var backoffMilliseconds: Int64 = 50
  package var breaker = BreakerPolicy()
  /// How long an answer counts for equal features; nil: nothing is kept.
  package var cacheMilliseconds: Int64?
  package var cacheBytesMax = 64 << 20
  package var answerBytesMax = 16 << 20
  package var credentials: CredentialSource?
  package var tensors: TensorEncoding = .binary
  package var inputName = "features"
  /// nil: the first output of the answer.
  package var outputName: String?
  package var task: OpenAITask = .chat
  /// What a row says to a language model: `{name}` stands for a feature; nil: a line `name: value` for each.
  package var prompt: String?
  /// The answers of a language model, by score; empty: its answer is a number.
  package var labels: [String] = []

  package init(url: String, format: RemoteProtocol, model: String) {
    self.url = url
    self.format = format
    self.model = model
  }

  /// Rows of one request.
  package var rowsOfRequest: Int { format == .openai && task == .chat ? 1 : max(batchRowsMax, 1) }

  /// What decides about scores, for the version that predictions name; times and limits are no part of it.
  package var identity: String {
    let language = format == .openai ? [task.rawValue, prompt ?? "", labels.joined(separator: "\u{1f}")] : []
    let tensors = format == .oip ? [inputName, outputName ?? ""] : []
    return ([url, format.rawValue, model, version ?? "", "\(outputCount)"] + language + tensors).joined(separator: "\n")
  }

  /// What is wrong with it; nil when nothing is.
  package var fault: HeadraceError? {
    do throws(HeadraceError) {
      _ = try EndpointAddress(url)
    } catch {
      return error
    }
    let isSafe = { (text: String) in !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } }
    guard isSafe(model), version.map(isSafe) ?? true else {
      return Self.invalid("the model is called `\(model)`", "a name of printable characters without blanks")
    }
    guard labels.isEmpty || labels.count == outputCount else {
      return Self.invalid("\(labels.count) labels for \(outputCount) scores", "a score for each label")
    }
    guard Set(labels).count == labels.count, !labels.contains("") else {
      return Self.invalid("labels \(labels)", "labels that differ, none of them empty")
    }
    let needsNumber = format == .openai && labels.isEmpty && (task == .chat || task == .completions)
    guard !needsNumber || outputCount == 1 else {
      return Self.invalid("\(outputCount) scores and no labels", "labels, one for each score")
    }
    return nil
  }

  private static func invalid(_ found: String, _ expected: String) -> HeadraceError {
    HeadraceError(
      .user, "REMOTE_MODEL_INVALID", "found \(found), expected \(expected)", remedy: "correct the model's `remote`")
  }
}
