package import Core
package import Storage

/// One change of a table: a line of a commit, or a row of a checkpoint (PROTOCOL.md, "Actions").
package enum LogAction: Hashable, Sendable {
  case tableProtocol(TableProtocol)
  case metadata(TableMetadata)
  case add(DataFile)
  case remove(RemovedFile)
  case transaction(ApplicationTransaction)
  case commitInfo(CommitInfo)
}

/// Where a data file is.
package struct DataFilePath: Hashable, Sendable {
  /// As it stands in the log: a relative URI. A removal repeats it letter by letter.
  package let written: String
  /// Decoded: the file's name below the table's folder.
  package let name: BlobName

  /// - Throws: DELTA_UNSUPPORTED for an absolute path; DELTA_LOG_CORRUPT for one that leaves the table's folder.
  package init(written: String, _ place: String) throws(HeadraceError) {
    guard !written.hasPrefix("/"), !written.contains("://"), !written.hasPrefix("file:") else {
      throw .unsupportedTable("a file lies outside of the table: \"\(written.prefix(200))\" (a shallow clone?)", place)
    }
    guard let decoded = URIText.decode(written) else {
      throw .corruptLog("a path is no URI: \"\(written.prefix(200))\"", place)
    }
    do throws(HeadraceError) {
      name = try BlobName(decoded)
    } catch {
      throw .corruptLog("a path cannot be used: \(error.message)", place)
    }
    self.written = written
  }

  /// A file of ours.
  package init(name: BlobName) {
    self.name = name
    written = URIText.encode(name.text)
  }
}

/// A file that the table has.
package struct DataFile: Hashable, Sendable {
  package var path: DataFilePath
  /// A value for each partition column, as `PartitionValue` writes it.
  package var partitionValues: [String: String?]
  package var sizeBytes: Int64
  package var modifiedMilliseconds: Int64
  /// False when its rows were in the table already: compaction.
  package var isDataChange: Bool
  /// JSON, as it stands in the log.
  package var statistics: String?
  package var tags: [String: String?]?

  package init(
    path: DataFilePath, partitionValues: [String: String?] = [:], sizeBytes: Int64, modifiedMilliseconds: Int64,
    isDataChange: Bool = true, statistics: String? = nil, tags: [String: String?]? = nil
  ) {
    self.path = path
    self.partitionValues = partitionValues
    self.sizeBytes = sizeBytes
    self.modifiedMilliseconds = modifiedMilliseconds
    self.isDataChange = isDataChange
    self.statistics = statistics
    self.tags = tags
  }

  /// The same file, going.
  package func removed(atMilliseconds: Int64, isDataChange: Bool) -> RemovedFile {
    RemovedFile(
      path: path, removedMilliseconds: atMilliseconds, isDataChange: isDataChange, partitionValues: partitionValues,
      sizeBytes: sizeBytes)
  }
}

/// A file that the table had: older versions may need it until it expires.
package struct RemovedFile: Hashable, Sendable {
  package var path: DataFilePath
  package var removedMilliseconds: Int64?
  package var isDataChange: Bool
  package var partitionValues: [String: String?]?
  package var sizeBytes: Int64?

  package init(
    path: DataFilePath, removedMilliseconds: Int64?, isDataChange: Bool, partitionValues: [String: String?]? = nil,
    sizeBytes: Int64? = nil
  ) {
    self.path = path
    self.removedMilliseconds = removedMilliseconds
    self.isDataChange = isDataChange
    self.partitionValues = partitionValues
    self.sizeBytes = sizeBytes
  }
}

/// How far an application has written: the offset of a Kafka partition, for instance.
package struct ApplicationTransaction: Hashable, Sendable {
  package var applicationID: String
  package var version: Int64
  package var updatedMilliseconds: Int64?

  package init(applicationID: String, version: Int64, updatedMilliseconds: Int64? = nil) {
    self.applicationID = applicationID
    self.version = version
    self.updatedMilliseconds = updatedMilliseconds
  }
}

/// Where a commit came from; not part of the table's state.
package struct CommitInfo: Hashable, Sendable {
  package var timestampMilliseconds: Int64?
  package var operation: String?
  /// The whole JSON object.
  package var json: String

  package init(timestampMilliseconds: Int64?, operation: String?, json: String) {
    self.timestampMilliseconds = timestampMilliseconds
    self.operation = operation
    self.json = json
  }
}
