import Columns
import NIOCore

@testable import Serving

/// `POST /get-online-features` without a server: a body in, a status and a body out.
struct FeatureCall {
  let engine: FakeEngine
  var catalog = TestCatalog.catalog
  var limits = ServingConfiguration.Limits()

  func answer(_ body: String) -> (status: Int, body: String) { answer(Array(body.utf8)) }

  func answer(_ body: [UInt8]) -> (status: Int, body: String) {
    do throws(Problem) {
      var request = FeatureRequest()
      try request.parse(body.span, limits: limits)
      let shape = try ShapeCache(catalog, limits).shape(of: request, in: body.span)
      var answer = FeatureAnswer(catalog: catalog, source: engine)
      try answer.begin(request, in: body.span, shape: shape)
      try answer.readAll(at: request.time, isOver: { false })
      var text = ByteBuffer()
      _ = answer.write(to: &text, hasAdditions: request.usesAdditions)
      return (200, String(buffer: text))
    } catch {
      let reply = error.reply(on: .getOnlineFeatures)
      return (reply.status, String(buffer: reply.body))
    }
  }
}
