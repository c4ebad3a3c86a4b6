internal import Contracts

/// The body of `POST /push` and `POST /write-to-online-store`: a data frame by columns, and where it goes.
struct PushRequest {
  struct Column {
    var name: String
    var values: [JSONValue]
  }

  /// `push_source_name`, or `feature_view_name` where a view is written to.
  var target = ""
  /// Of a push: `online`, `offline`, `online_and_offline`. A log has one answer to all of them.
  var mode = "online"
  var columns: [Column] = []

  var rowCount: Int { columns.first?.values.count ?? 0 }
}

extension PushRequest {
  private static let modes = ["online", "offline", "online_and_offline"]

  /// - Parameter targetName: the member that names where the rows go.
  init(_ body: Span<UInt8>, targetName: StaticString, limits: ServingConfiguration.Limits) throws(Problem) {
    guard (try? UTF8Span(validating: body)) != nil else {
      throw .notJSON(JSONSyntaxError(reason: .notUTF8, offset: 0))
    }
    var parser = Parser(body: body, targetName: targetName, limits: limits)
    do throws(JSONSyntaxError) {
      try parser.parse()
    } catch {
      throw .notJSON(error)
    }
    if !parser.faults.isEmpty { throw .invalidBody(parser.faults) }
    self = parser.request
    try check(limits)
  }

  private func check(_ limits: ServingConfiguration.Limits) throws(Problem) {
    guard Self.modes.contains(mode) else {
      throw Problem(
        422, "UNKNOWN_MODE",
        "\(mode) is not a supported push format. "
          + "Please specify one of these ['online', 'offline', 'online_and_offline'].",
        place: "to")
    }
    for column in columns where column.values.count != rowCount {
      throw Problem(
        422, "UNEQUAL_LENGTHS", "\(column.values.count) values where the first column has \(rowCount)",
        place: "df.\(column.name)", remedy: "All arrays must be of the same length")
    }
    guard rowCount <= limits.pushedRows else {
      throw Problem(
        422, "TOO_MANY_ROWS", "\(rowCount) rows, \(limits.pushedRows) may be pushed at once", place: "df",
        remedy: "split the push")
    }
  }

  private struct Parser: ~Escapable {
    let targetName: StaticString
    let columnsMax: Int
    var scanner: JSONScanner
    var request = PushRequest()
    var faults: [Problem.BodyFault] = []
    private var hasTarget = false
    private var hasFrame = false

    @_lifetime(copy body)
    init(body: Span<UInt8>, targetName: StaticString, limits: ServingConfiguration.Limits) {
      self.targetName = targetName
      columnsMax = limits.features
      scanner = JSONScanner(body, depthMax: limits.jsonDepth)
    }

    private var body: Span<UInt8> {
      @_lifetime(copy self)
      get { scanner.text }
    }

    mutating func parse() throws(JSONSyntaxError) {
      guard scanner.nextKind() == .object else {
        _ = try scanner.value()
        try scanner.end()
        return fault("model_attributes_type", [], "Input should be a valid dictionary or object to extract fields from")
      }
      try scanner.enter(UInt8(ascii: "{"))
      var isFirst = true
      while let name = try scanner.nextName(isFirst: isFirst) {
        isFirst = false
        let text = name.bytes(in: body)
        if text.equals(targetName) {
          hasTarget = true
          request.target = try string(targetName.description)
        } else if text.equals("to") {
          request.mode = try string("to")
        } else if text.equals("df") {
          hasFrame = true
          try frame()
        } else {
          _ = try scanner.value()
        }
      }
      try scanner.end()
      if !hasTarget { fault("missing", [targetName.description], "Field required") }
      if !hasFrame { fault("missing", ["df"], "Field required") }
    }

    private mutating func string(_ name: String) throws(JSONSyntaxError) -> String {
      let value = try scanner.value()
      if !value.isString { fault("string_type", [name], "Input should be a valid string") }
      return value.string(in: body)
    }

    private mutating func frame() throws(JSONSyntaxError) {
      request.columns.removeAll()
      guard scanner.nextKind() == .object else {
        _ = try scanner.value()
        return fault("dict_type", ["df"], "Input should be a valid dictionary")
      }
      try scanner.enter(UInt8(ascii: "{"))
      var isFirst = true
      while let name = try scanner.nextName(isFirst: isFirst) {
        isFirst = false
        let name = name.string(in: body)
        guard scanner.nextKind() == .array, request.columns.count < columnsMax else {
          _ = try scanner.value()
          let message = request.columns.count < columnsMax ? "Input should be a valid list" : "Too many columns"
          fault("list_type", ["df", name], message)
          continue
        }
        try scanner.enter(UInt8(ascii: "["))
        var values: [JSONValue] = []
        while try scanner.nextElement(isFirst: values.isEmpty) { values.append(try scanner.value()) }
        request.columns.append(Column(name: name, values: values))
      }
    }

    private mutating func fault(_ type: String, _ location: [String], _ message: String) {
      guard faults.count < 16 else { return }
      faults.append(Problem.BodyFault(type: type, location: ["body"] + location, message: message))
    }
  }
}
