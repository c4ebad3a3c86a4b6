internal import Core

/// Reads the lines of a commit.
///
/// Unknown actions and unknown fields are skipped, as the protocol demands: what must not be skipped raises the
/// protocol's version. What is known is checked, with the file and the line in the error.
struct CommitReader {
  /// Of the file: `events/x/_delta_log/00000000000000000007.json`.
  let place: String

  private static let depthMax = 64
  /// A line holds a file with its statistics, or a schema: far less than this.
  private static let lineBytesMax = 16 << 20

  func actions(_ bytes: [UInt8]) throws(HeadraceError) -> [LogAction] {
    var actions: [LogAction] = []
    var (start, number) = (0, 0)
    while start < bytes.count {
      number += 1
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      if let action = try action(bytes[start..<end], line: number) { actions.append(action) }
      start = end + 1
    }
    return actions
  }

  private func action(_ line: ArraySlice<UInt8>, line number: Int) throws(HeadraceError) -> LogAction? {
    let place = "\(place):\(number)"
    guard line.count <= Self.lineBytesMax else {
      throw .corruptLog("the line has \(line.count) bytes; at most \(Self.lineBytesMax) are read", place)
    }
    guard line.contains(where: { $0 != 0x20 && $0 != 0x0d && $0 != 0x09 }) else { return nil }
    let bytes = Array(line)
    let document: JSONDocument
    do throws(JSONFault) {
      document = try JSONDocument(bytes, depthMax: Self.depthMax)
    } catch {
      throw .corruptLog("this is no JSON: \(error.reason.expectation)", "\(place):\(error.position + 1)")
    }
    guard case .object(let members) = document.content else {
      throw .corruptLog("found \(document.kind.prefix(40)), expected an action", place)
    }
    for member in members where !member.value.isNull {
      let fields = LogFields(document: member.value, action: member.name, place: place)
      switch member.name {
      case "protocol": return .tableProtocol(try fields.tableProtocol())
      case "metaData": return .metadata(try fields.metadata())
      case "add": return .add(try fields.dataFile())
      case "remove": return .remove(try fields.removedFile())
      case "txn": return .transaction(try fields.transaction())
      case "commitInfo":
        return .commitInfo(
          CommitInfo(
            timestampMilliseconds: member.value["timestamp"]?.integer,
            operation: member.value["operation"]?.string,
            json: String(decoding: bytes[member.value.range], as: UTF8.self)))
      default: continue
      }
    }
    return nil
  }
}

/// The fields of one action, each checked as it is taken.
private struct LogFields {
  let document: JSONDocument
  let action: String
  let place: String

  func tableProtocol() throws(HeadraceError) -> TableProtocol {
    TableProtocol(
      readerVersion: try integer("minReaderVersion"), writerVersion: try integer("minWriterVersion"),
      readerFeatures: try optionalTexts("readerFeatures"), writerFeatures: try optionalTexts("writerFeatures"))
  }

  func metadata() throws(HeadraceError) -> TableMetadata {
    let provider = document["format"]?["provider"]?.string ?? "parquet"
    guard provider == "parquet" else {
      throw .unsupportedTable("the table's files are in the format \"\(provider.prefix(60))\"", place)
    }
    var configuration: [String: String] = [:]
    for (name, value) in try map("configuration") ?? [:] { configuration[name] = value }
    return try TableMetadata(
      id: try text("id"), name: try optionalText("name"), description: try optionalText("description"),
      schema: try DeltaSchema(json: try text("schemaString"), place: "\(place) schemaString"),
      partitionColumns: try optionalTexts("partitionColumns") ?? [],
      createdMilliseconds: try optionalInteger("createdTime"), configuration: configuration, place: place)
  }

  func dataFile() throws(HeadraceError) -> DataFile {
    try refuseDeletionVector()
    return DataFile(
      path: try DataFilePath(written: try text("path"), place), partitionValues: try map("partitionValues") ?? [:],
      sizeBytes: try size(try integer("size")), modifiedMilliseconds: try integer("modificationTime"),
      isDataChange: try boolean("dataChange"), statistics: try optionalText("stats"), tags: try map("tags"))
  }

  func removedFile() throws(HeadraceError) -> RemovedFile {
    try refuseDeletionVector()
    var sizeBytes: Int64?
    if let written = try optionalInteger("size") { sizeBytes = try size(written) }
    return RemovedFile(
      path: try DataFilePath(written: try text("path"), place),
      removedMilliseconds: try optionalInteger("deletionTimestamp"), isDataChange: try boolean("dataChange"),
      partitionValues: try map("partitionValues"), sizeBytes: sizeBytes)
  }

  func transaction() throws(HeadraceError) -> ApplicationTransaction {
    ApplicationTransaction(
      applicationID: try text("appId"), version: try integer("version"),
      updatedMilliseconds: try optionalInteger("lastUpdated"))
  }

  private func refuseDeletionVector() throws(HeadraceError) {
    guard document["deletionVector"]?.isNull ?? true else {
      throw .unsupportedTable("a file has a deletion vector (feature deletionVectors)", place)
    }
  }

  private func size(_ bytes: Int64) throws(HeadraceError) -> Int64 {
    guard bytes >= 0 else { throw .corruptLog("a file has the size \(bytes)", place) }
    return bytes
  }

  private func wrong(_ name: String, _ expected: String) -> HeadraceError {
    let found = document[name].map { String($0.kind.prefix(40)) } ?? "nothing"
    return .corruptLog("\(action).\(name): found \(found), expected \(expected)", place)
  }

  private func present(_ name: String) -> JSONDocument? {
    document[name].flatMap { $0.isNull ? nil : $0 }
  }

  private func text(_ name: String) throws(HeadraceError) -> String {
    guard let value = try optionalText(name) else { throw wrong(name, "a text") }
    return value
  }

  private func optionalText(_ name: String) throws(HeadraceError) -> String? {
    guard let value = present(name) else { return nil }
    guard let text = value.string else { throw wrong(name, "a text") }
    return text
  }

  private func integer(_ name: String) throws(HeadraceError) -> Int64 {
    guard let value = try optionalInteger(name) else { throw wrong(name, "an integer") }
    return value
  }

  private func optionalInteger(_ name: String) throws(HeadraceError) -> Int64? {
    guard let value = present(name) else { return nil }
    guard let integer = value.integer else { throw wrong(name, "an integer") }
    return integer
  }

  private func boolean(_ name: String) throws(HeadraceError) -> Bool {
    guard let value = present(name)?.boolean else { throw wrong(name, "true or false") }
    return value
  }

  private func optionalTexts(_ name: String) throws(HeadraceError) -> [String]? {
    guard let value = present(name) else { return nil }
    guard case .array(let elements) = value.content else { throw wrong(name, "an array of texts") }
    var texts: [String] = []
    for element in elements {
      guard let text = element.string else { throw wrong(name, "an array of texts") }
      texts.append(text)
    }
    return texts
  }

  /// Values are texts or null; some writers put numbers and booleans there.
  private func map(_ name: String) throws(HeadraceError) -> [String: String?]? {
    guard let value = present(name) else { return nil }
    guard case .object(let members) = value.content else { throw wrong(name, "an object of texts") }
    var map: [String: String?] = [:]
    for member in members {
      switch member.value.content {
      case .string(let text), .number(let text): map[member.name] = .some(text)
      case .boolean(let flag): map[member.name] = .some(flag ? "true" : "false")
      case .null: map[member.name] = .some(nil)
      case .array, .object: throw wrong(name, "an object of texts")
      }
    }
    return map
  }
}
