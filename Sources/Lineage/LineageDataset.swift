/// Data that a job reads or writes: a topic, a table, a dataset, a model.
///
/// Named as OpenLineage names them (https://openlineage.io/docs/spec/naming), so that what other programs say of the
/// same data meets what Headrace says.
package struct LineageDataset: Sendable, Hashable {
  package struct Field: Sendable, Hashable {
    package var name: String
    /// In the words of whoever defines the data: `long`, `double`, `timestamp`.
    package var type: String

    package init(name: String, type: String) {
      self.name = name
      self.type = type
    }
  }

  package var namespace: String
  package var name: String
  /// Of rows; empty: not known.
  package var fields: [Field]
  /// Of data that has versions: a table's number, a dataset's content hash.
  package var version: String?
  /// Where it lies, as an absolute URI; nil when the namespace says it.
  package var sourceURI: String?
  /// Written by this run; of outputs.
  package var rowCount: Int64?
  package var sizeBytes: Int64?

  package init(
    namespace: String, name: String, fields: [Field] = [], version: String? = nil, sourceURI: String? = nil,
    rowCount: Int64? = nil, sizeBytes: Int64? = nil
  ) {
    self.namespace = namespace
    self.name = name
    self.fields = fields
    self.version = version
    self.sourceURI = sourceURI
    self.rowCount = rowCount
    self.sizeBytes = sizeBytes
  }
}

extension LineageDataset {
  /// A topic: by the first of its brokers.
  package static func topic(_ name: String, bootstrapServers: String, fields: [Field] = []) -> LineageDataset {
    let first = bootstrapServers.split(separator: ",").first.map { $0.filter { $0 != " " } } ?? ""
    return LineageDataset(namespace: "kafka://\(first)", name: name, fields: fields)
  }

  /// A table, a dataset or another folder: `s3://BUCKET/PREFIX`, or a path.
  ///
  /// - Parameter below: names further folders.
  package static func place(
    _ place: String, below: String = "", fields: [Field] = [], version: String? = nil
  ) -> LineageDataset {
    let whole = below.isEmpty ? place : "\(place.hasSuffix("/") ? String(place.dropLast()) : place)/\(below)"
    guard let scheme = whole.range(of: "://") else {
      return LineageDataset(namespace: "file", name: whole, fields: fields, version: version)
    }
    let rest = whole[scheme.upperBound...]
    let bucket = rest.prefix { $0 != "/" }
    let path = rest.dropFirst(bucket.count).drop { $0 == "/" }
    return LineageDataset(
      namespace: "\(whole[..<scheme.upperBound])\(bucket)", name: path.isEmpty ? "/" : String(path), fields: fields,
      version: version)
  }

  /// A model of the registry.
  package static func model(_ name: String, version: String? = nil) -> LineageDataset {
    LineageDataset(namespace: "headrace", name: "models/\(name)", version: version)
  }
}

extension String {
  /// Where `text` stands first.
  fileprivate func range(of text: String) -> Range<Index>? {
    indices.lazy.first { self[$0...].hasPrefix(text) }.map { $0..<index($0, offsetBy: text.count) }
  }
}
