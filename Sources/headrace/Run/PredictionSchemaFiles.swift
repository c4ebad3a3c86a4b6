internal import Core
internal import Glibc
internal import Logging
internal import Topology

/// The schemas of predictions in plain Avro, as files beside the contracts: `<topic>.avsc`, for consumers and for
/// topologies that read the predictions.
enum PredictionSchemaFiles {
  /// Writes those that are not there as they should be.
  ///
  /// - Throws: `SCHEMA_FILE_TAKEN` when a file of that name is somebody else's.
  static func write(_ plan: Plan, folder: String, logger: Logger) throws(HeadraceError) {
    for (format, schema) in plan.predictionSchemas where format == .avro {
      let path = "\(folder)/\(schema.topic).avsc"
      let found = try? TextFile.read(path)
      guard found != schema.json else { continue }
      guard found?.contains(PredictionSchema.origin) ?? true else {
        throw HeadraceError(
          .user, "SCHEMA_FILE_TAKEN", "the file is no schema of predictions that Headrace has written", place: path,
          remedy: "remove it, or name another output topic: predictions in Avro need a schema of that name")
      }
      do throws(HeadraceError) {
        try Folder.make(folder)
        try TextFile.write(schema.json, to: path)
        logger.notice("the schema of predictions is written", metadata: ["file": "\(path)"])
      } catch {
        // A folder of a container's image: the schema is in `plan --output json` as well.
        logger.warning("the schema of predictions is not written", metadata: ["error": "\(error)"])
      }
    }
  }
}
