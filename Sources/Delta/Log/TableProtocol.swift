internal import Core

/// What a program must know to read or to write a table (PROTOCOL.md, "Protocol Evolution").
package struct TableProtocol: Hashable, Sendable {
  package var readerVersion: Int64
  package var writerVersion: Int64
  /// Only with reader version 3.
  package var readerFeatures: [String]?
  /// Only with writer version 7.
  package var writerFeatures: [String]?

  /// Of new tables.
  package static let current = TableProtocol(readerVersion: 1, writerVersion: 2)

  package init(
    readerVersion: Int64, writerVersion: Int64, readerFeatures: [String]? = nil, writerFeatures: [String]? = nil
  ) {
    self.readerVersion = readerVersion
    self.writerVersion = writerVersion
    self.readerFeatures = readerFeatures
    self.writerFeatures = writerFeatures
  }
}

extension TableProtocol {
  /// What a table may ask of its writers that this one does.
  private static let knownWriterFeatures: Set<String> = ["appendOnly", "invariants"]
  /// What each writer version brought that this module does not do.
  private static let featuresOfWriterVersions: [Int64: [String]] = [
    3: ["checkConstraints"], 4: ["generatedColumns", "changeDataFeed"], 5: ["columnMapping"], 6: ["identityColumns"],
  ]

  /// - Throws: DELTA_UNSUPPORTED, with the names of the features that are not known.
  func requireReadable(_ place: String) throws(HeadraceError) {
    switch readerVersion {
    case 1: return
    case 2: throw .unsupportedTable("reading this table needs the feature columnMapping (reader version 2)", place)
    case 3:
      let unknown = readerFeatures ?? []
      guard unknown.isEmpty else {
        throw .unsupportedTable("reading this table needs the features \(Self.list(unknown))", place)
      }
    default: throw .unsupportedTable("reading this table needs reader version \(readerVersion)", place)
    }
  }

  /// - Throws: DELTA_UNSUPPORTED, with the names of the features that are not known.
  func requireWritable(_ place: String) throws(HeadraceError) {
    try requireReadable(place)
    switch writerVersion {
    case 1, 2: return
    case 3...6:
      let unknown = (3...writerVersion).flatMap { Self.featuresOfWriterVersions[$0] ?? [] }
      throw .unsupportedTable(
        "writing this table needs the features \(Self.list(unknown)) (writer version \(writerVersion))", place)
    case 7:
      let unknown = (writerFeatures ?? []).filter { !Self.knownWriterFeatures.contains($0) }
      guard unknown.isEmpty else {
        throw .unsupportedTable("writing this table needs the features \(Self.list(unknown))", place)
      }
    default: throw .unsupportedTable("writing this table needs writer version \(writerVersion)", place)
    }
  }

  private static func list(_ names: [String]) -> String {
    names.sorted().prefix(20).map { String($0.prefix(60)) }.joined(separator: ", ")
  }
}
