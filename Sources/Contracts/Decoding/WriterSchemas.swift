package import Core

/// Where schemas of writers come from, by the id that their records carry.
///
/// Asked on worker threads, between records: an implementation answers from memory. What it does not know yet it says
/// is unavailable; somebody fetches it (`SchemaRegistryClient`), and the record is decoded again.
package protocol WriterSchemas: Sendable {
  func schema(id: Int32) -> WriterSchemaLookup
  /// Has a schema of ours registered under a subject; waits for it. The same schema has the same id each time.
  ///
  /// - Returns: the id that records carry.
  /// - Throws: `NO_SCHEMA_REGISTRY` where there is none, and what the registry says.
  func register(subject: String, schema json: String) throws(HeadraceError) -> Int32
}

package enum WriterSchemaLookup: Sendable {
  case found(AvroSchema)
  /// There is no such schema, and asking again would not help.
  case unknown
  /// Not here yet, or its registry cannot be reached.
  case unavailable
}

extension WriterSchemas {
  /// Nothing can be registered where schemas are only read.
  package func register(subject: String, schema json: String) throws(HeadraceError) -> Int32 {
    throw HeadraceError(
      .user, "NO_SCHEMA_REGISTRY", "a schema is to be registered as \(subject), and no registry is named",
      remedy: "--schema-registry URL, or HEADRACE_SCHEMA_REGISTRY")
  }
}

/// For formats that carry no schema id.
package struct NoWriterSchemas: WriterSchemas {
  package init() {}
  package func schema(id: Int32) -> WriterSchemaLookup { .unknown }
}

/// How the values of a topic are written.
package enum PayloadFormat: String, Sendable, CaseIterable {
  /// One JSON object (RFC 8259).
  case json
  /// Avro's binary encoding of the contract's own schema, without anything around it.
  case avro
  /// Avro's binary encoding of any compatible schema, behind a zero byte and the schema's id (4 bytes, big-endian).
  case avroConfluent = "avro-confluent"
}
