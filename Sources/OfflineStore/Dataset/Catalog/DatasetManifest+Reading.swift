package import Core

extension DatasetManifest {
  private static let depthMax = 16

  /// Reads what `json` wrote, and nothing else: a manifest may have been changed, or made up.
  ///
  /// - Throws: MANIFEST_INVALID.
  package init(_ bytes: [UInt8], place: String) throws(HeadraceError) {
    let document: JSONDocument
    do throws(JSONFault) {
      document = try JSONDocument(bytes, depthMax: Self.depthMax)
    } catch {
      throw Self.invalid("it is no JSON: \(error)", place)
    }
    let reader = ManifestReader(document: document, place: place)
    let version = try reader.number("format_version")
    guard version == Int64(Self.formatVersion) else {
      throw HeadraceError(
        .external, "MANIFEST_INVALID", "its format_version is \(version), this program writes \(Self.formatVersion)",
        place: place, remedy: "build the dataset again, or delete its folder")
    }
    let splitText = try reader.text("split")
    guard let split = splitText == "none" ? DatasetSplit.none : DatasetSplit(splitText) else {
      throw Self.invalid("\"split\" is \"\(splitText.prefix(60))\"", place)
    }
    self.init(
      name: try reader.text("name"), topology: try reader.text("topology"), service: try reader.text("service"),
      serviceFingerprint: try reader.text("service_fingerprint"),
      views: try reader.items("views").map { (view) throws(HeadraceError) in
        (try view.text("name"), try view.text("fingerprint"))
      }, events: try reader.origins(), labels: try reader.inside("labels").labels(),
      labelTime: try reader.text("label_time"), namesRecords: try reader.flag("names_records"),
      isAsKnown: try reader.flag("as_known"), fromMilliseconds: document["from_ms"]?.integer,
      toMilliseconds: document["to_ms"]?.integer, split: split, rowCount: try reader.count("row_count"),
      fields: try reader.items("schema").map { (field) throws(HeadraceError) in
        Field(
          name: try field.text("name"), type: try field.text("type"), nullCount: try field.count("null_count"),
          feature: field.document["feature"]?.string)
      },
      files: try reader.items("files").map { (file) throws(HeadraceError) in
        File(
          name: try file.text("name"), part: try file.text("part"), rowCount: try file.count("row_count"),
          sizeBytes: try file.count("size_bytes"))
      }, contentHash: try reader.text("content_hash"))
    if let file = files.first(where: { !DatasetTarget.isDataFile($0.name) || !split.parts.contains($0.part) }) {
      throw Self.invalid("\"\(file.name.prefix(60))\" is no name of a data file", place)
    }
  }

  static func invalid(_ what: String, _ place: String) -> HeadraceError {
    HeadraceError(
      .external, "MANIFEST_INVALID", what, place: place,
      remedy: "the dataset was changed after it was written: build it again")
  }
}

private struct ManifestReader {
  let document: JSONDocument
  let place: String

  func text(_ key: String) throws(HeadraceError) -> String {
    guard let text = document[key]?.string else { throw missing(key) }
    return text
  }

  func number(_ key: String) throws(HeadraceError) -> Int64 {
    guard let number = document[key]?.integer else { throw missing(key) }
    return number
  }

  func count(_ key: String) throws(HeadraceError) -> Int {
    guard let count = Int(exactly: try number(key)), count >= 0 else { throw missing(key) }
    return count
  }

  func flag(_ key: String) throws(HeadraceError) -> Bool {
    guard let flag = document[key]?.boolean else { throw missing(key) }
    return flag
  }

  func inside(_ key: String) throws(HeadraceError) -> ManifestReader {
    guard let inner = document[key], case .object = inner.content else { throw missing(key) }
    return ManifestReader(document: inner, place: place)
  }

  func items(_ key: String) throws(HeadraceError) -> [ManifestReader] {
    guard case .array(let items)? = document[key]?.content else { throw missing(key) }
    return items.map { ManifestReader(document: $0, place: place) }
  }

  func origins() throws(HeadraceError) -> [EventOrigin] {
    var origins: [EventOrigin] = []
    for table in try items("tables") {
      origins.append(
        EventOrigin(
          source: try table.text("source"), table: try table.text("name"), version: try table.number("version"),
          offsets: try table.offsets()))
    }
    for topic in try items("topics") {
      origins.append(
        EventOrigin(source: try topic.text("source"), topic: try topic.text("name"), offsets: try topic.offsets()))
    }
    return origins.sorted { $0.source < $1.source }
  }

  func offsets() throws(HeadraceError) -> [(name: String, offset: Int64)] {
    guard case .object(let members)? = document["offsets"]?.content else { throw missing("offsets") }
    var offsets: [(name: String, offset: Int64)] = []
    for member in members {
      guard let offset = member.value.integer else { throw missing("offsets") }
      offsets.append((member.name, offset))
    }
    return offsets
  }

  func labels() throws(HeadraceError) -> LabelOrigin {
    guard let kind = LabelOrigin.Kind(rawValue: try text("kind")) else { throw missing("kind") }
    var origin = LabelOrigin(kind, try text("place"), version: document["version"]?.integer)
    guard kind == .topic, case .object(let members)? = document["offsets"]?.content else { return origin }
    for member in members {
      guard let partition = Int32(member.name), case .array(let bounds) = member.value.content, bounds.count == 2,
        let start = bounds[0].integer, let end = bounds[1].integer, start <= end
      else { throw missing("offsets") }
      origin.offsets[partition] = start..<end
    }
    return origin
  }

  private func missing(_ key: String) -> HeadraceError {
    DatasetManifest.invalid("\"\(key)\" is missing, or not what it should be", place)
  }
}
