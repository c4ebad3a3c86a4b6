internal import Contracts
internal import Core
internal import Runtime

/// The body of `POST /get-online-features`: where things are in it, and the few small values.
///
/// Nothing is copied out of the body but what is small: entities stay where they are until they are looked up.
struct FeatureRequest {
  struct EntityColumn {
    var name: JSONValue
    /// Positions in `entityValues`.
    var values: Range<Int>
  }

  /// The list as it stands in the body: who has asked for it before is recognised by its bytes.
  var features: JSONValue?
  var featureService: JSONValue?
  var hasFullFeatureNames = false
  var entityColumns: [EntityColumn] = []
  var entityValues: [JSONValue] = []
  var time = ReadTime.now
  var minimumOffsets: [RecordOffset] = []
  var waitMilliseconds: Int64?
  /// Whether the caller knows of the additions to Feast's protocol: only then does the answer have any.
  var usesAdditions = false
}

extension FeatureRequest {
  /// Becomes the request that is in a body, in the memory that it has.
  ///
  /// - Throws: 422 with everything that is wrong with the body, as FastAPI words it; 422 where a limit is passed.
  mutating func parse(_ body: Span<UInt8>, limits: ServingConfiguration.Limits) throws(Problem) {
    guard (try? UTF8Span(validating: body)) != nil else {
      throw .notJSON(JSONSyntaxError(reason: .notUTF8, offset: 0))
    }
    var parser = Parser(body: body, limits: limits, request: emptied())
    do throws(JSONSyntaxError) {
      try parser.parse()
    } catch {
      throw .notJSON(error)
    }
    if let problem = parser.problem { throw problem }
    if !parser.faults.isEmpty { throw .invalidBody(parser.faults) }
    self = parser.request
  }

  /// Nothing yet, in the memory of what was.
  private mutating func emptied() -> FeatureRequest {
    var request = FeatureRequest()
    swap(&request.entityColumns, &entityColumns)
    swap(&request.entityValues, &entityValues)
    request.entityColumns.removeAll(keepingCapacity: true)
    request.entityValues.removeAll(keepingCapacity: true)
    self = FeatureRequest()
    return request
  }

  /// The column of this name; nil when the request has none.
  func column(named name: [UInt8], in body: Span<UInt8>) -> EntityColumn? {
    entityColumns.first { $0.name.kind == .string && $0.name.bytes(in: body).equals(name) }
      ?? entityColumns.first { $0.name.kind == .escapedString && Array($0.name.string(in: body).utf8) == name }
  }
}

extension FeatureRequest {
  fileprivate struct Parser: ~Escapable {
    let limits: ServingConfiguration.Limits
    var scanner: JSONScanner
    var request: FeatureRequest
    var faults: [Problem.BodyFault] = []
    /// What is wrong beyond the grammar, first found.
    var problem: Problem?
    private var hasEntities = false

    @_lifetime(copy body)
    init(body: Span<UInt8>, limits: ServingConfiguration.Limits, request: consuming FeatureRequest) {
      self.limits = limits
      self.request = request
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
        try member(name)
      }
      try scanner.end()
      if !hasEntities { fault("missing", ["entities"], "Field required") }
    }

    private mutating func member(_ name: JSONValue) throws(JSONSyntaxError) {
      let text = name.bytes(in: body)
      if text.equals("entities") {
        hasEntities = true
        try entities()
      } else if text.equals("features") {
        let list = try scanner.value()
        if list.kind == .array {
          request.features = list
        } else {
          fault("list_type", ["features"], "Input should be a valid list")
        }
      } else if text.equals("feature_service") {
        let service = try scanner.value()
        if service.isString {
          request.featureService = service
        } else if service.kind != .null {
          fault("string_type", ["feature_service"], "Input should be a valid string")
        }
      } else if text.equals("full_feature_names") {
        request.hasFullFeatureNames = try boolean("full_feature_names")
      } else if text.equals("as_of") {
        try asOf()
      } else if text.equals("min_offset") {
        try minimumOffsets()
      } else if text.equals("wait_ms") {
        request.usesAdditions = true
        let wait = try scanner.value()
        request.waitMilliseconds = wait.integer(in: body)
        if request.waitMilliseconds.map({ $0 < 0 }) ?? true {
          fault("int_type", ["wait_ms"], "Input should be a valid integer, milliseconds")
        }
      } else {
        _ = try scanner.value()
      }
    }

    private mutating func boolean(_ name: String) throws(JSONSyntaxError) -> Bool {
      let value = try scanner.value()
      if value.kind != .true, value.kind != .false {
        fault("bool_parsing", [name], "Input should be a valid boolean, unable to interpret input")
      }
      return value.kind == .true
    }

    private mutating func entities() throws(JSONSyntaxError) {
      request.entityColumns.removeAll(keepingCapacity: true)
      request.entityValues.removeAll(keepingCapacity: true)
      guard scanner.nextKind() == .object else {
        _ = try scanner.value()
        return fault("dict_type", ["entities"], "Input should be a valid dictionary")
      }
      try scanner.enter(UInt8(ascii: "{"))
      var isFirst = true
      while let name = try scanner.nextName(isFirst: isFirst) {
        isFirst = false
        guard scanner.nextKind() == .array else {
          _ = try scanner.value()
          fault("list_type", ["entities", name.string(in: body)], "Input should be a valid list")
          continue
        }
        try scanner.enter(UInt8(ascii: "["))
        let start = request.entityValues.count
        while try scanner.nextElement(isFirst: request.entityValues.count == start) {
          request.entityValues.append(try scanner.value())
        }
        let count = request.entityValues.count - start
        if count > limits.entities, problem == nil {
          problem = Problem(
            422, "TOO_MANY_ENTITIES", "\(count) entities, \(limits.entities) may be asked for at once",
            place: "entities.\(name.string(in: body))", remedy: "split the request")
        }
        request.entityColumns.append(EntityColumn(name: name, values: start..<request.entityValues.count))
      }
    }

    private mutating func asOf() throws(JSONSyntaxError) {
      request.usesAdditions = true
      let value = try scanner.value()
      if value.kind == .null { return }
      if let milliseconds = value.integer(in: body), EventTime.sane.contains(milliseconds) {
        request.time = .asOf(milliseconds)
      } else if value.isString, value.bytes(in: body).equals("latest") {
        request.time = .latest
      } else if value.isString, value.bytes(in: body).equals("now") {
        request.time = .now
      } else if value.isString, let milliseconds = RFC3339.milliseconds(value.bytes(in: body)) {
        request.time = .asOf(milliseconds)
      } else {
        fault("as_of_type", ["as_of"], "Input should be epoch milliseconds, an RFC 3339 time, 'latest' or 'now'")
      }
    }

    private mutating func minimumOffsets() throws(JSONSyntaxError) {
      request.usesAdditions = true
      guard scanner.nextKind() == .array else { return minimumOffset(try scanner.value()) }
      try scanner.enter(UInt8(ascii: "["))
      var isFirst = true
      while try scanner.nextElement(isFirst: isFirst) {
        isFirst = false
        minimumOffset(try scanner.value())
      }
    }

    private mutating func minimumOffset(_ value: JSONValue) {
      if value.kind == .null { return }
      guard value.isString, let offset = RecordOffset(value.string(in: body)) else {
        return fault("offset_type", ["min_offset"], "Input should be 'topic:partition:offset', or a list of these")
      }
      guard request.minimumOffsets.count < limits.entities else { return }
      request.minimumOffsets.append(offset)
    }

    private mutating func fault(_ type: String, _ location: [String], _ message: String) {
      // A few tell enough; a hostile body could have thousands.
      guard faults.count < 16 else { return }
      faults.append(Problem.BodyFault(type: type, location: ["body"] + location, message: message))
    }
  }
}

extension RecordOffset: LosslessStringConvertible {
  /// `topic:partition:offset`.
  package init?(_ description: String) {
    let parts = description.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, !parts[0].isEmpty, let partition = Int32(parts[1]), let offset = Int64(parts[2]),
      partition >= 0, offset >= 0
    else { return nil }
    self.init(topic: String(parts[0]), partition: partition, offset: offset)
  }

  package var description: String { "\(topic):\(partition):\(offset)" }
}
