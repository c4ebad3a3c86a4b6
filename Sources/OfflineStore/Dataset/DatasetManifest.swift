internal import Core

/// What a dataset is and what it was made of: from it the same dataset can be made again.
package struct DatasetManifest: Sendable {
  package struct Table: Sendable {
    package var name: String
    package var version: Int64
    /// Offsets behind the last event of each partition in that version.
    package var offsets: [(applicationID: String, offset: Int64)]
  }

  package struct File: Sendable {
    package var name: String
    package var part: String
    package var rowCount: Int
    package var sizeBytes: Int
  }

  package struct Field: Sendable {
    package var name: String
    package var type: String
    package var nullCount: Int
    /// Nil of a label's own column.
    package var feature: String?
  }

  package static let formatVersion = 1

  package var name: String
  package var topology: String
  package var service: String
  package var serviceFingerprint: String
  package var views: [(name: String, fingerprint: String)]
  package var tables: [Table]
  package var labels: String
  package var labelTime: String
  package var isAsKnown: Bool
  package var split: DatasetSplit
  package var rowCount: Int
  package var fields: [Field]
  package var files: [File]
  package var contentHash: String

  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("format_version")
      writer.number(Self.formatVersion)
      for (key, text) in [
        ("name", name), ("topology", topology), ("service", service), ("service_fingerprint", serviceFingerprint),
        ("labels", labels), ("label_time", labelTime), ("split", split.text), ("content_hash", contentHash),
      ] {
        writer.key(key)
        writer.string(text)
      }
      writer.key("as_known")
      writer.boolean(isAsKnown)
      writer.key("row_count")
      writer.number(rowCount)
      writeSources(&writer)
      writeContent(&writer)
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  private func writeSources(_ writer: inout JSONWriter) {
    writer.key("views")
    writer.array { writer in
      for view in views {
        writer.object { writer in
          writer.key("name")
          writer.string(view.name)
          writer.key("fingerprint")
          writer.string(view.fingerprint)
        }
      }
    }
    writer.key("tables")
    writer.array { writer in
      for table in tables {
        writer.object { writer in
          writer.key("name")
          writer.string(table.name)
          writer.key("version")
          writer.number(table.version)
          writer.key("offsets")
          writer.object { writer in
            for (applicationID, offset) in table.offsets {
              writer.key(applicationID)
              writer.number(offset)
            }
          }
        }
      }
    }
  }

  private func writeContent(_ writer: inout JSONWriter) {
    writer.key("schema")
    writer.array { writer in
      for field in fields {
        writer.object { writer in
          writer.key("name")
          writer.string(field.name)
          writer.key("type")
          writer.string(field.type)
          writer.key("null_count")
          writer.number(field.nullCount)
          guard let feature = field.feature else { return }
          writer.key("feature")
          writer.string(feature)
        }
      }
    }
    writer.key("files")
    writer.array { writer in
      for file in files {
        writer.object { writer in
          writer.key("name")
          writer.string(file.name)
          writer.key("part")
          writer.string(file.part)
          writer.key("row_count")
          writer.number(file.rowCount)
          writer.key("size_bytes")
          writer.number(file.sizeBytes)
        }
      }
    }
  }
}
