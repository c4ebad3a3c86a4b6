internal import Contracts
internal import Core

/// The views of a server, as `/api/views` tells them.
struct ViewCatalog: Sendable {
  struct View: Sendable, Equatable {
    var name: String
    var joinKeys: [String]
    var features: [String]
  }

  private static let depthMax = 16

  var views: [View]

  init(_ body: [UInt8]) throws(HeadraceError) {
    let document: JSONDocument
    do throws(JSONFault) {
      document = try JSONDocument(body, depthMax: Self.depthMax)
    } catch {
      throw .noCatalog
    }
    guard let list = document["views"]?.elements else { throw .noCatalog }
    views = list.compactMap { view in
      guard let name = view["name"]?.string, let keys = view["join_keys"]?.elements,
        let features = view["features"]?.elements
      else { return nil }
      return View(
        name: name, joinKeys: keys.compactMap(\.string), features: features.compactMap { $0["name"]?.string })
    }
  }

  func view(named name: String) throws(HeadraceError) -> View {
    if let view = views.first(where: { $0.name == name }) { return view }
    throw HeadraceError(
      .user, "NO_SUCH_VIEW", "there is no such view", place: name,
      remedy: views.isEmpty ? "the server has no views" : "one of \(views.map(\.name).joined(separator: ", "))")
  }
}

extension HeadraceError {
  fileprivate static let noCatalog = HeadraceError(
    .external, "ANSWER_UNREADABLE", "the server does not tell its views",
    remedy: "check that --server is a Headrace of this version")
}
