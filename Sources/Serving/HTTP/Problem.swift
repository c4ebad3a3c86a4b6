internal import Core
internal import NIOCore

/// Why a request was not served: found, expected, and what to do.
///
/// Two shapes on the wire. Addresses of Feast answer as Feast's server does: a JSON string that holds JSON with the
/// class of the exception to raise, or the list of what is wrong with the body that FastAPI gives. All others answer
/// with `application/problem+json` (RFC 9457).
struct Problem: Error, Equatable {
  /// How Feast would put it.
  enum FeastShape: Equatable {
    /// An exception of `feast.errors` that the client raises on its side.
    case exception(String)
    /// FastAPI's list of faults of the body.
    case validation([BodyFault])
  }

  /// A fault of the request's body, as pydantic describes it.
  struct BodyFault: Equatable {
    /// `missing`, `list_type`, `json_invalid`…
    var type: String
    /// Names and indexes from the body down to the value.
    var location: [String]
    var message: String
    var context: String?
  }

  var status: Int
  /// A short stable name: `VIEW_NOT_FOUND`.
  var code: String
  var message: String
  var place: String?
  var remedy: String?
  var retryAfterSeconds: Int?
  var feast = FeastShape.exception("FeastError")

  init(
    _ status: Int, _ code: String, _ message: String, place: String? = nil, remedy: String? = nil,
    retryAfterSeconds: Int? = nil, feast: FeastShape = .exception("FeastError")
  ) {
    self.status = status
    self.code = code
    self.message = message
    self.place = place
    self.remedy = remedy
    self.retryAfterSeconds = retryAfterSeconds
    self.feast = feast
  }
}

extension Problem {
  static func invalidBody(_ faults: [BodyFault]) -> Problem {
    let text = faults.map { "\($0.location.joined(separator: ".")): \($0.message)" }.joined(separator: "; ")
    return Problem(422, "INVALID_BODY", text, feast: .validation(faults))
  }

  static func invalidBody(_ type: String, _ location: [String], _ message: String) -> Problem {
    invalidBody([BodyFault(type: type, location: ["body"] + location, message: message)])
  }

  static func notJSON(_ error: JSONSyntaxError) -> Problem {
    invalidBody([
      BodyFault(
        type: "json_invalid", location: ["body", String(error.offset)], message: "JSON decode error",
        context: error.reason.rawValue)
    ])
  }

  /// What a module below threw, seen from outside.
  static func failed(_ error: HeadraceError) -> Problem {
    let status =
      switch (error.domain, error.retry) {
      case (.user, _): 422
      case (.external, _), (.internal, .sameCall): 503
      case (.internal, _): 500
      }
    return Problem(
      status, error.code, error.message, place: error.place, remedy: error.remedy,
      retryAfterSeconds: status == 503 ? 1 : nil)
  }
}

extension Problem {
  func reply(on route: Route?) -> Reply {
    var body = ByteBuffer()
    let contentType: Reply.ContentType
    if route?.answersAsFeast == true {
      contentType = .json
      writeAsFeast(to: &body)
    } else {
      contentType = .problem
      writeAsProblem(to: &body)
    }
    var reply = Reply(status: status, contentType: contentType, body: body)
    reply.retryAfterSeconds = retryAfterSeconds
    return reply
  }

  private func writeAsProblem(to body: inout ByteBuffer) {
    body.write("{\"type\":\"about:blank\",\"status\":")
    body.writeDecimal(Int64(status))
    body.write(",\"code\":")
    body.writeQuoted(code)
    body.write(",\"detail\":")
    body.writeQuoted(message)
    if let place {
      body.write(",\"place\":")
      body.writeQuoted(place)
    }
    if let remedy {
      body.write(",\"remedy\":")
      body.writeQuoted(remedy)
    }
    body.write("}")
  }

  private func writeAsFeast(to body: inout ByteBuffer) {
    switch feast {
    case .exception(let name):
      var inner = ByteBuffer()
      inner.write("{\"module\": \"feast.errors\", \"class\": ")
      inner.writeQuoted(name)
      inner.write(", \"message\": ")
      inner.writeQuoted(sentence)
      inner.write("}")
      unsafe inner.withUnsafeReadableBytes { unsafe body.writeQuoted(Span(_unsafeBytes: $0)) }
    case .validation(let faults):
      body.write("{\"detail\":[")
      for (index, fault) in faults.enumerated() {
        if index > 0 { body.write(",") }
        fault.write(to: &body)
      }
      body.write("]}")
    }
  }

  /// Feast's clients show one text only.
  private var sentence: String {
    var text = place.map { "\($0): \(message)" } ?? message
    if let remedy { text += " (\(remedy))" }
    return text
  }
}

extension Problem.BodyFault {
  fileprivate func write(to body: inout ByteBuffer) {
    body.write("{\"type\":")
    body.writeQuoted(type)
    body.write(",\"loc\":[")
    for (index, step) in location.enumerated() {
      if index > 0 { body.write(",") }
      if let number = Int64(step) { body.writeDecimal(number) } else { body.writeQuoted(step) }
    }
    body.write("],\"msg\":")
    body.writeQuoted(message)
    body.write(",\"input\":{}")
    if let context {
      body.write(",\"ctx\":{\"error\":")
      body.writeQuoted(context)
      body.write("}")
    }
    body.write("}")
  }
}
