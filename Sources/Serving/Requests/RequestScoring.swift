internal import Core
internal import Kafka
internal import NIOCore
internal import Topology

/// Answers the requests of a batch by the models that the server answers with. Rows of keys that are other workers' are
/// asked for once for the whole batch.
struct RequestScoring {
  let server: FeatureServer
  let endpoints: [RequestEndpoint]
  let clock: WallClock
  /// The largest answer that a record can hold, in bytes.
  let answerBytesMax: Int

  /// A request that cannot be answered now, and perhaps in a moment: what it needs is still starting.
  struct NotYet: Error {
    var problem: Problem
    var partition: TopicPartition
    var offset: Int64
  }

  /// What became of one request.
  private struct Outcome {
    var headers: RequestHeaders
    var topic: String
    var answer: Result<(body: ByteBuffer, jsonBytes: Int?), Problem>

    var problem: Problem? { if case .failure(let problem) = answer { problem } else { nil } }
  }

  /// - Parameter isPatient: whether the request at an offset may be waited for.
  /// - Throws: `NotYet`; the requests before that one are answered.
  func answer(
    _ batch: borrowing ConsumedBatch, into answers: inout RequestAnswers, isPatient: (Int64) -> Bool
  ) throws {
    let partition = batch.partition
    guard let endpoint = endpoints.first(where: { $0.topics.topic == partition.topic }) else { return }
    for (index, outcome) in outcomes(of: batch, endpoint, isPatient).enumerated() {
      let record = batch[index]
      switch outcome.answer {
      case .success(let answer):
        try answers.add(
          answer.body, jsonBytes: answer.jsonBytes, outcome: .answered, to: outcome.topic, outcome.headers,
          answering: record, of: partition)
      case .failure(let problem):
        // What it needs may be starting, or belong to another process until the end of a rebalance.
        if problem.status == 503, isPatient(record.offset) {
          throw NotYet(problem: problem, partition: partition, offset: record.offset)
        }
        try answers.add(
          Self.body(of: Self.throughTopic(problem)), jsonBytes: nil,
          outcome: problem.code == Self.expired ? .expired : .refused, to: outcome.topic, outcome.headers,
          answering: record, of: partition)
      }
    }
  }

  /// One for each record, up to the first one that has to be waited for.
  private func outcomes(
    of batch: borrowing ConsumedBatch, _ endpoint: RequestEndpoint, _ isPatient: (Int64) -> Bool
  ) -> [Outcome] {
    let round = server.beginRound()
    var outcomes: [Outcome] = []
    for index in batch.indices {
      let record = batch[index]
      let outcome = outcome(of: record, endpoint, round)
      outcomes.append(outcome)
      if outcome.problem?.status == 503, isPatient(record.offset) { break }
    }
    var attempt = 0
    while true {
      let putOff = outcomes.indices.filter { outcomes[$0].problem?.isPutOff == true }
      guard !putOff.isEmpty, let gathered = round.gathered else { return outcomes }
      guard server.fetch(gathered, of: round.offer, attempt: attempt) else {
        for index in putOff { outcomes[index].answer = .failure(.ownersMove) }
        return outcomes
      }
      attempt += 1
      for index in putOff { outcomes[index] = outcome(of: batch[index], endpoint, round) }
    }
  }

  private func outcome(
    of record: borrowing ConsumedRecord, _ endpoint: RequestEndpoint, _ round: FeatureServer.Round
  ) -> Outcome {
    var outcome = Outcome(
      headers: RequestHeaders(correlationOf: record), topic: endpoint.topics.responseTopic,
      answer: .failure(.putOff))
    do throws(Problem) {
      outcome.topic = try replyTopic(outcome.headers, endpoint)
      outcome.headers = try RequestHeaders(record)
      outcome.answer = .success(try answer(record, outcome.headers, endpoint, round))
    } catch {
      outcome.answer = .failure(error)
    }
    return outcome
  }

  private static let expired = "DEADLINE_EXCEEDED"

  /// Any worker may have got the request: its caller cannot choose another one to ask.
  private static func throughTopic(_ problem: Problem) -> Problem {
    guard problem.code == "NOT_OWNED" else { return problem }
    return Problem(
      problem.status, problem.code,
      "a key's task is another worker's than the one that got the request: \(problem.message)", place: problem.place,
      remedy: "send the features in place of the key, or ask the workers over HTTP")
  }

  /// A caller may name a topic that the topology allows; every other one would let it write anywhere.
  private func replyTopic(_ headers: RequestHeaders, _ endpoint: RequestEndpoint) throws(Problem) -> String {
    guard let topic = headers.replyTopic, topic != endpoint.topics.responseTopic else {
      return endpoint.topics.responseTopic
    }
    guard endpoint.topics.replyTopics.contains(topic) else {
      throw Problem(
        403, "REPLY_TOPIC_NOT_ALLOWED", "answers of model `\(endpoint.model)` do not go to `\(topic.prefix(249))`",
        remedy: "name one of `reply_topics` of the model's `requests`")
    }
    return topic
  }

  private func answer(
    _ record: borrowing ConsumedRecord, _ headers: RequestHeaders, _ endpoint: RequestEndpoint,
    _ round: FeatureServer.Round
  ) throws(Problem) -> (body: ByteBuffer, jsonBytes: Int?) {
    try checkDeadline(record, headers, endpoint)
    guard let value = record.value else { throw .inference("the request has no value") }
    guard value.byteCount <= server.configuration.limits.inferenceBodyBytes else {
      throw Problem(413, "BODY_TOO_LARGE", "the request has \(value.byteCount) bytes")
    }
    var body = ByteBuffer()
    unsafe value.withUnsafeBytes { _ = unsafe body.writeBytes($0) }
    let answer = try server.answer(model: endpoint.model, body, jsonBytes: headers.jsonBytes, round)
    guard answer.body.readableBytes <= answerBytesMax else {
      throw Problem(
        413, "ANSWER_TOO_LARGE", "the answer has \(answer.body.readableBytes) bytes, a record holds \(answerBytesMax)",
        remedy: "ask for fewer rows at a time")
    }
    return answer
  }

  private func checkDeadline(
    _ record: borrowing ConsumedRecord, _ headers: RequestHeaders, _ endpoint: RequestEndpoint
  ) throws(Problem) {
    let sent = record.timestampMilliseconds
    let own = endpoint.topics.withinMilliseconds.flatMap { sent > 0 ? sent &+ $0 : nil }
    guard let deadline = headers.deadlineMilliseconds ?? own, clock.nowMilliseconds > deadline else { return }
    throw Problem(
      504, Self.expired, "the request was to be answered until \(RFC3339.text(milliseconds: deadline))",
      remedy: "it was not scored: send it again with a later deadline")
  }

  /// `{"error": …, "code": …, "status": …}`: the protocol's error, with what a program can act upon.
  private static func body(of problem: Problem) -> ByteBuffer {
    var body = ByteBuffer()
    body.write("{\"error\":")
    body.writeQuoted(problem.remedy.map { "\(problem.message) (\($0))" } ?? problem.message)
    body.write(",\"code\":")
    body.writeQuoted(problem.code)
    body.write(",\"status\":")
    body.writeDecimal(Int64(problem.status))
    body.write("}")
    return body
  }
}
