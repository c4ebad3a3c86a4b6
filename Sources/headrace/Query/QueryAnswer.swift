internal import Contracts
internal import Core

/// What a server said about some keys of one view: a row for each key.
struct QueryAnswer: Sendable {
  struct Feature: Sendable, Equatable {
    var name: String
    /// As JSON.
    var json: [UInt8]
    var status: String
    /// RFC 3339; nil when no event counts for it.
    var eventTime: String?
  }

  struct Row: Sendable, Equatable {
    var key: [String]
    var features: [Feature]
  }

  private static let depthMax = 64
  private static let noTime = "1970-01-01T00:00:00Z"

  var rows: [Row]
  /// RFC 3339: the time that windows ended at.
  var readAt: String?
  var watermark: String?
  var watermarkAgeMilliseconds: Int64?
  /// Newer events lie in the tile of the time that was asked for.
  var isTileGranular = false

  /// - Parameters:
  ///   - keys: as they were asked for, one for each row.
  ///   - features: the names wanted, in the order in which they are shown.
  /// - Throws: `ANSWER_UNREADABLE` when this is no answer to that question.
  init(_ body: [UInt8], keys: [[String]], view: String, features: [String]) throws(HeadraceError) {
    let document: JSONDocument
    do throws(JSONFault) {
      document = try JSONDocument(body, depthMax: Self.depthMax)
    } catch {
      throw .unreadable("it is no JSON")
    }
    guard let results = document["results"]?.elements,
      let names = document["metadata"]?["feature_names"]?.elements?.map(\.string), names.count == results.count
    else { throw .unreadable("it has no results") }
    rows = keys.map { Row(key: $0, features: []) }
    for feature in features {
      guard let position = names.firstIndex(of: "\(view)__\(feature)") else { throw .unreadable("it lacks \(feature)") }
      try append(feature, results[position], body)
    }
    let additions = document["headrace"]
    readAt = additions?["read_at"]?.string
    watermark = additions?["watermark"]?.string
    watermarkAgeMilliseconds = additions?["watermark_age_ms"]?.integer
    isTileGranular = additions?["tile"]?.boolean ?? false
  }

  private mutating func append(_ name: String, _ result: JSONDocument, _ body: [UInt8]) throws(HeadraceError) {
    guard let values = result["values"]?.elements, let statuses = result["statuses"]?.elements,
      let times = result["event_timestamps"]?.elements,
      [values.count, statuses.count, times.count].allSatisfy({ $0 == rows.count })
    else { throw .unreadable("\(name) has not one value for each key") }
    for row in rows.indices {
      let time = times[row].string
      rows[row].features.append(
        Feature(
          name: name, json: Array(body[values[row].range]), status: statuses[row].string ?? "INVALID",
          eventTime: time == Self.noTime ? nil : time))
    }
  }
}

extension QueryAnswer {
  var table: String {
    var table = Table([
      ("KEY", .left), ("FEATURE", .left), ("VALUE", .right), ("STATUS", .left), ("EVENT TIME", .left),
    ])
    for row in rows {
      for feature in row.features {
        table.append([
          row.key.joined(separator: ","), feature.name, String(decoding: feature.json, as: UTF8.self), feature.status,
          feature.eventTime ?? "",
        ])
      }
    }
    return table.text
  }

  /// One object a line, one line a key.
  func json(view: String, joinKeys: [String]) -> [UInt8] {
    var lines: [UInt8] = []
    for row in rows {
      var writer = JSONWriter()
      writer.object { writer in
        writer.key("view")
        writer.string(view)
        writer.key("key")
        writer.object { writer in
          for (name, part) in zip(joinKeys, row.key) {
            writer.key(name)
            writer.string(part)
          }
        }
        writer.key("at")
        if let readAt { writer.string(readAt) } else { writer.null() }
        writer.key("tile")
        writer.boolean(isTileGranular)
        writer.key("features")
        writer.object { writer in
          for feature in row.features {
            writer.key(feature.name)
            writer.object { writer in Self.write(feature, to: &writer) }
          }
        }
      }
      lines += writer.bytes + [UInt8(ascii: "\n")]
    }
    return lines
  }

  private static func write(_ feature: Feature, to writer: inout JSONWriter) {
    writer.key("value")
    writer.raw(feature.json)
    writer.key("status")
    writer.string(feature.status)
    writer.key("event_time")
    if let time = feature.eventTime { writer.string(time) } else { writer.null() }
  }

  /// What a person should know beside the values.
  var notes: [String] {
    let tolerance: Int64 = 60_000
    var notes: [String] = []
    if isTileGranular {
      notes.append("newer events lie in the same tile as that time: the values are exact to the tile")
    }
    if let watermarkAgeMilliseconds, watermarkAgeMilliseconds > tolerance, let watermark {
      let age = Figures.span(milliseconds: watermarkAgeMilliseconds)
      notes.append("the newest event is of \(watermark), \(age) before that; --as-of latest reads at its time")
    }
    return notes
  }

  /// Said where the answer is that of the watermark: somebody may take it for that of now.
  func noteOnLatest(nowMilliseconds: Int64) -> String? {
    guard let readAt, let time = RFC3339.milliseconds(readAt), nowMilliseconds - time > 60_000 else { return nil }
    return "read at \(readAt), the time of the newest event: \(Figures.span(milliseconds: nowMilliseconds - time)) ago"
  }
}

extension Figures {
  /// `4,711 days`, `3 hours`, `2 minutes`: in the largest unit, rounded down.
  static func span(milliseconds: Int64) -> String {
    let units: [(String, Int64)] = [("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000)]
    for (name, length) in units where milliseconds >= length {
      let count = Int(milliseconds / length)
      return "\(grouped(count)) \(name)\(count == 1 ? "" : "s")"
    }
    return "\(milliseconds / 1_000) s"
  }
}

extension HeadraceError {
  fileprivate static func unreadable(_ why: String) -> HeadraceError {
    HeadraceError(
      .external, "ANSWER_UNREADABLE", "the server's answer cannot be read: \(why)",
      remedy: "check that --server is a Headrace of this version")
  }
}
