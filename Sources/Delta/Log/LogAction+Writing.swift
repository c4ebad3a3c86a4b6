internal import Core

extension LogAction {
  /// Appends one line of a commit.
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      switch self {
      case .tableProtocol(let action): action.write(to: &writer)
      case .metadata(let action): action.write(to: &writer)
      case .add(let action): action.write(to: &writer)
      case .remove(let action): action.write(to: &writer)
      case .transaction(let action): action.write(to: &writer)
      case .commitInfo(let action):
        writer.key("commitInfo")
        writer.raw(action.json.utf8)
      }
    }
  }
}

extension TableProtocol {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.key("protocol")
    writer.object { writer in
      writer.member("minReaderVersion", readerVersion)
      writer.member("minWriterVersion", writerVersion)
      if let readerFeatures { writer.member("readerFeatures", readerFeatures) }
      if let writerFeatures { writer.member("writerFeatures", writerFeatures) }
    }
  }
}

extension TableMetadata {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.key("metaData")
    writer.object { writer in
      writer.member("id", id)
      if let name { writer.member("name", name) }
      if let description { writer.member("description", description) }
      writer.key("format")
      writer.object { writer in
        writer.member("provider", "parquet")
        writer.member("options", [:])
      }
      writer.member("schemaString", schema.json)
      writer.member("partitionColumns", partitionColumns)
      if let createdMilliseconds { writer.member("createdTime", createdMilliseconds) }
      writer.member("configuration", configuration.mapValues { $0 })
    }
  }
}

extension DataFile {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.key("add")
    writer.object { writer in
      writer.member("path", path.written)
      writer.member("partitionValues", partitionValues)
      writer.member("size", sizeBytes)
      writer.member("modificationTime", modifiedMilliseconds)
      writer.key("dataChange")
      writer.boolean(isDataChange)
      if let statistics { writer.member("stats", statistics) }
      if let tags { writer.member("tags", tags) }
    }
  }
}

extension RemovedFile {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.key("remove")
    writer.object { writer in
      writer.member("path", path.written)
      if let removedMilliseconds { writer.member("deletionTimestamp", removedMilliseconds) }
      writer.key("dataChange")
      writer.boolean(isDataChange)
      guard let partitionValues, let sizeBytes else { return }
      writer.key("extendedFileMetadata")
      writer.boolean(true)
      writer.member("partitionValues", partitionValues)
      writer.member("size", sizeBytes)
    }
  }
}

extension ApplicationTransaction {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.key("txn")
    writer.object { writer in
      writer.member("appId", applicationID)
      writer.member("version", version)
      if let updatedMilliseconds { writer.member("lastUpdated", updatedMilliseconds) }
    }
  }
}

extension JSONWriter {
  mutating func member(_ name: String, _ texts: [String]) {
    key(name)
    array { writer in
      for text in texts { writer.string(text) }
    }
  }

  /// In the order of the names: equal maps give equal bytes.
  mutating func member(_ name: String, _ values: [String: String?]) {
    key(name)
    object { writer in
      for (name, value) in values.sorted(by: { $0.key < $1.key }) {
        writer.key(name)
        if let value { writer.string(value) } else { writer.null() }
      }
    }
  }
}
