internal import Core
internal import Storage

/// What a work folder says of a training that is done.
enum FinishedTraining {
  private static let resultBytesMax = 16 << 20
  private static let modelBytesMax = 2 << 30

  static func write(_ model: TrainedModel, _ folder: WorkFolder) throws(HeadraceError) {
    var writer = JSONWriter()
    writer.object { json in
      json.member("content_hash", model.contentHash)
      json.member("size_bytes", model.sizeBytes)
      json.member("format", model.format)
      json.member("code_revision", model.codeRevision)
      json.member("seconds", model.seconds)
      json.member("attempts", model.attempts)
      json.key("claims")
      json.array { json in
        for claim in model.claimedMetrics {
          json.object { json in
            json.member("name", claim.name)
            json.member("value", claim.value)
          }
        }
      }
      json.key("log")
      json.array { json in for line in model.log { json.string(line) } }
    }
    try folder.write("result.json", writer.bytes + [UInt8(ascii: "\n")])
  }

  /// - Returns: nil when nothing is there, or the file is not the one that the result names: it is trained again then.
  static func read(_ folder: WorkFolder) throws(HeadraceError) -> TrainedModel? {
    guard let json = try folder.read("result.json", bytesMax: resultBytesMax),
      let result = try? JSONDocument(json, depthMax: 4),
      let hash = result["content_hash"]?.string, let format = result["format"]?.string,
      let revision = result["code_revision"]?.string, let seconds = result["seconds"]?.double,
      let attempts = result["attempts"]?.integer.flatMap({ Int(exactly: $0) }),
      let bytes = try folder.read("model", bytesMax: modelBytesMax), ContentHash.sha256(bytes) == hash
    else { return nil }
    return TrainedModel(
      path: folder.place("model"), contentHash: hash, sizeBytes: bytes.count, format: format,
      claimedMetrics: (result["claims"]?.elements ?? []).compactMap { claim in
        guard let name = claim["name"]?.string, let value = claim["value"]?.double else { return nil }
        return .init(name: name, value: value)
      }, seconds: seconds, codeRevision: revision, log: (result["log"]?.elements ?? []).compactMap(\.string),
      attempts: attempts)
  }
}
