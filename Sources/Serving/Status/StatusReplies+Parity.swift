internal import Core
internal import NIOCore
internal import OfflineStore
internal import Runtime

extension StatusReplies {
  /// How served values compare with those that their records give.
  func parity() -> ByteBuffer {
    let parity = report.parity ?? ParityStatus()
    return JSONDocumentWriter.object { json in
      json.member("sampling", report.parity != nil)
      json.member("sampled_vectors", parity.sampled)
      json.member("dropped_vectors", parity.dropped)
      json.member("waiting_vectors", Int64(parity.waiting))
      json.member("uncertain_values", parity.uncertain)
      json.member("failure", parity.failure)
      json.objects("features", parity.checked.sorted { $0.key < $1.key }) { json, entry in
        json.member("view", entry.key.view)
        json.member("feature", entry.key.name)
        json.member("checked", entry.value)
        json.objects("mismatches", parity.mismatches.filter { $0.key.feature == entry.key }.sorted { $0.key < $1.key })
        {
          json, mismatch in
          json.member("cause", mismatch.key.cause.rawValue)
          json.member("count", mismatch.value)
        }
      }
      json.objects("last_mismatches", parity.examples.reversed()) { json, example in
        json.member("against", example.comparison.rawValue)
        json.member("cause", example.cause.rawValue)
        json.member("explained", example.isExplained)
        json.member("view", example.feature.view)
        json.member("feature", example.feature.name)
        json.member("service", example.service)
        json.member("entity", example.entity)
        json.member("read_at", time: example.readMilliseconds)
        json.member("position", example.position)
        json.member("served", example.served)
        json.member("recomputed", example.recomputed)
        json.member("explanation", example.explanation)
      }
    }
  }
}
