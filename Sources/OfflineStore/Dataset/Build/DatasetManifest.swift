internal import Core

/// What a dataset is and what it was made of: from it the same dataset can be made again.
package struct DatasetManifest: Sendable {
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

  package static let formatVersion = 2

  package var name: String
  package var topology: String
  package var service: String
  package var serviceFingerprint: String
  package var views: [(name: String, fingerprint: String)]
  package var events: [EventOrigin]
  package var labels: LabelOrigin
  package var labelTime: String
  /// Whether labels name records, up to which the events of their partition count.
  package var namesRecords: Bool
  package var isAsKnown: Bool
  package var fromMilliseconds: Int64?
  package var toMilliseconds: Int64?
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
        ("label_time", labelTime), ("split", split.text), ("content_hash", contentHash),
      ] {
        writer.key(key)
        writer.string(text)
      }
      for (key, flag) in [("as_known", isAsKnown), ("names_records", namesRecords)] {
        writer.key(key)
        writer.boolean(flag)
      }
      for (key, time) in [("from_ms", fromMilliseconds), ("to_ms", toMilliseconds)] {
        guard let time else { continue }
        writer.key(key)
        writer.number(time)
      }
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
    writeLabels(&writer)
    writer.key("tables")
    writer.array { writer in
      for origin in events {
        guard let table = origin.table else { continue }
        writer.object { writer in
          writer.key("name")
          writer.string(table)
          writer.key("source")
          writer.string(origin.source)
          writer.key("version")
          writer.number(origin.version)
          writeOffsets(origin, &writer)
        }
      }
    }
    writer.key("topics")
    writer.array { writer in
      for origin in events {
        guard let topic = origin.topic else { continue }
        writer.object { writer in
          writer.key("name")
          writer.string(topic)
          writer.key("source")
          writer.string(origin.source)
          writeOffsets(origin, &writer)
        }
      }
    }
  }

  private func writeOffsets(_ origin: EventOrigin, _ writer: inout JSONWriter) {
    writer.key("offsets")
    writer.object { writer in
      for (name, offset) in origin.offsets {
        writer.key(name)
        writer.number(offset)
      }
    }
  }

  private func writeLabels(_ writer: inout JSONWriter) {
    writer.key("labels")
    writer.object { writer in
      writer.key("kind")
      writer.string(labels.kind.rawValue)
      writer.key("place")
      writer.string(labels.place)
      if let version = labels.version {
        writer.key("version")
        writer.number(version)
      }
      guard labels.kind == .topic else { return }
      writer.key("offsets")
      writer.object { writer in
        for (partition, offsets) in labels.offsets.sorted(by: { $0.key < $1.key }) {
          writer.key("\(partition)")
          writer.array { writer in
            writer.number(offsets.lowerBound)
            writer.number(offsets.upperBound)
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
