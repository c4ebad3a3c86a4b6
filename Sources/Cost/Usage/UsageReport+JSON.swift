package import Core

extension UsageReport {
  /// What `/api/cost` answers.
  package var json: [UInt8] {
    var writer = JSONWriter()
    write(to: &writer)
    return writer.bytes
  }

  private func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("topology", topology)
      writer.member("process", process)
      writer.member("from_ms", fromMilliseconds)
      writer.member("to_ms", toMilliseconds)
      writer.key("cores")
      writer.double(cores)
      writer.member("process_cpu_ns", processCPUNanoseconds)
      writer.key("unattributed_share")
      writer.double(unattributedShare)
      writer.key("idle_share")
      writer.double(idleShare)
      writer.member("events", events)
      writer.member("feature_reads", featureReads)
      writer.member("predictions", predictions)
      writer.key("lines")
      writer.array { writer in for line in lines { line.write(to: &writer) } }
      writer.key("holdings")
      writer.array { writer in for holding in holdings { holding.write(to: &writer) } }
      if !tenants.isEmpty {
        writer.key("tenants")
        tenants.write(to: &writer)
      }
    }
  }

  /// - Throws: `USAGE_INVALID` when it is no such document.
  package init(json: [UInt8], place: String) throws(HeadraceError) {
    guard let document = try? JSONDocument(json, depthMax: 8) else { throw Self.invalid(place) }
    try self.init(document, place: place)
  }

  static func invalid(_ place: String) -> HeadraceError {
    HeadraceError(
      .external, "USAGE_INVALID", "the answer is no account of usage", place: place,
      remedy: "ask a worker of this version: headrace cost report --server HOST:PORT")
  }

  init(_ document: JSONDocument, place: String) throws(HeadraceError) {
    guard let topology = document["topology"]?.string,
      let from = document["from_ms"]?.integer, let to = document["to_ms"]?.integer,
      let cpu = document["process_cpu_ns"]?.integer
    else { throw Self.invalid(place) }
    self.init(
      topology: topology, process: document["process"]?.string ?? "", fromMilliseconds: from, toMilliseconds: to,
      cores: document["cores"]?.double ?? 1, processCPUNanoseconds: cpu,
      lines: (document["lines"]?.list ?? []).compactMap { Line($0) },
      holdings: (document["holdings"]?.list ?? []).compactMap { Holding($0) })
    if let use = document["tenants"] { tenants = TenantUse(use) }
  }
}

extension UsageReport.Line {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("operator", operation.rawValue)
      writer.member("kind", subject.kind.rawValue)
      writer.member("subject", subject.name)
      if let model { writer.member("remote_model", model) }
      for resource in Resource.allCases where amounts[resource] != 0 { writer.member(resource.name, amounts[resource]) }
    }
  }

  fileprivate init?(_ document: JSONDocument) {
    guard let operation = document["operator"]?.string.flatMap(Operator.init(rawValue:)),
      let kind = document["kind"]?.string.flatMap(Subject.Kind.init(rawValue:))
    else { return nil }
    var amounts = Amounts()
    for resource in Resource.allCases { amounts[resource] = document[resource.name]?.integer ?? 0 }
    self.init(
      operation, Subject(kind, document["subject"]?.string ?? ""), model: document["remote_model"]?.string, amounts)
  }
}

extension UsageReport.Holding {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("medium", medium.rawValue)
      writer.member("part", part)
      writer.member("kind", subject.kind.rawValue)
      writer.member("subject", subject.name)
      writer.member("bytes", bytes)
      writer.key("byte_ms")
      writer.double(byteMilliseconds)
    }
  }

  fileprivate init?(_ document: JSONDocument) {
    guard let medium = document["medium"]?.string.flatMap(Medium.init(rawValue:)),
      let part = document["part"]?.string, let kind = document["kind"]?.string.flatMap(Subject.Kind.init(rawValue:))
    else { return nil }
    self.init(
      medium, part, Subject(kind, document["subject"]?.string ?? ""), bytes: document["bytes"]?.integer ?? 0,
      byteMilliseconds: document["byte_ms"]?.double ?? 0)
  }
}

extension JSONWriter {
  /// The shortest digits that read back as the same number; null of what JSON has no number for.
  mutating func double(_ number: Double) {
    if number.isFinite { raw(number.description.utf8) } else { null() }
  }
}

extension JSONDocument {
  var list: [JSONDocument]? {
    if case .array(let elements) = content { elements } else { nil }
  }

  var members: [Member]? {
    if case .object(let members) = content { members } else { nil }
  }
}
