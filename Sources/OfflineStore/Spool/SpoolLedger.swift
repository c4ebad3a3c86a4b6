package import Core
internal import Synchronization

/// Which segments of a task wait for their tables, and how far the tables are: what the task's thread, which makes
/// segments, and the publisher's, which empties them, tell each other.
package final class SpoolLedger: Sendable {
  package let tables: [OfflineTable]
  let folder: SpoolFolder

  private struct State: Sendable {
    /// Parts of a checkpoint, oldest first.
    var segments: [SpoolRecord.Segment] = []
    /// D of each table: the offset behind the last row that is in it.
    var published: [Int64?]
    /// Since when rows of each table wait, by the monotonic clock.
    var waitingSince: [Int64?]
    var isEnded = false
    /// Why the last try to bring a table's rows there failed.
    var failures: [HeadraceError?]
  }

  private let state: Mutex<State>

  init(_ tables: [OfflineTable], folder: SpoolFolder, published: [Int64?], segments: [SpoolRecord.Segment]) {
    self.tables = tables
    self.folder = folder
    var state = State(published: published, waitingSince: tables.map { _ in nil }, failures: tables.map { _ in nil })
    state.segments = segments
    self.state = Mutex(state)
  }

  /// Rows of one table that are due.
  struct Work: Sendable {
    var table: Int
    struct Part: Sendable {
      var segment: SpoolRecord.Segment
      /// Of the table's blocks in it.
      var position: Int
    }

    /// Oldest first.
    var parts: [Part]
    var from: Int64?
    var to: Int64
    /// Of the table's input at `to`.
    var watermarkMilliseconds: Int64? { parts.last.flatMap { $0.segment.tables[$0.position].watermarkMilliseconds } }
    /// The first offset that the parts cover.
    var first: Int64? { parts.first.map { $0.segment.tables[$0.position].offsets.lowerBound } }
  }

  /// What waits for longer than `freshnessMilliseconds`, or is larger than `bytesMax`.
  ///
  /// - Parameter except: tables that are left for another time.
  func due(
    nowMilliseconds now: Int64, freshnessMilliseconds: Int64, bytesMax: Int64, except: Set<Int> = []
  ) -> Work? {
    state.withLock { state in
      guard !state.isEnded else { return nil }
      for (index, table) in tables.enumerated() where !except.contains(index) {
        var parts: [Work.Part] = []
        var bytes: Int64 = 0
        for segment in state.segments {
          guard let position = segment.tables.firstIndex(where: { $0.table == table.name }) else { continue }
          let rows = segment.tables[position]
          guard rows.rowCount > 0, rows.offsets.upperBound > state.published[index] ?? .min else { continue }
          parts.append(Work.Part(segment: segment, position: position))
          bytes += segment.sizeBytes
        }
        guard let last = parts.last else {
          state.waitingSince[index] = nil
          continue
        }
        let since = state.waitingSince[index] ?? now
        state.waitingSince[index] = since
        guard now - since >= freshnessMilliseconds || bytes >= bytesMax else { continue }
        return Work(
          table: index, parts: parts, from: state.published[index],
          to: last.segment.tables[last.position].offsets.upperBound)
      }
      return nil
    }
  }

  func notePublished(_ table: Int, upTo offset: Int64) {
    state.withLock { state in
      state.published[table] = max(state.published[table] ?? .min, offset)
      state.waitingSince[table] = nil
      state.failures[table] = nil
    }
  }

  func noteFailure(_ error: HeadraceError, of table: Int) {
    state.withLock { $0.failures[table] = error }
  }

  /// D of a table.
  func published(_ table: Int) -> Int64? { state.withLock { $0.published[table] } }

  /// D of a table that is written to under the same name and by the same application.
  package func published(_ table: OfflineTable) -> Int64? {
    tables.firstIndex { $0.name == table.name && $0.applicationID == table.applicationID }.flatMap { published($0) }
  }

  /// Whether rows of a table are in segments and not in the table.
  package func isWaiting(_ table: Int) -> Bool {
    state.withLock { state in
      state.segments.contains { segment in
        segment.tables.contains { rows in
          rows.table == tables[table].name && rows.rowCount > 0
            && rows.offsets.upperBound > state.published[table] ?? .min
        }
      }
    }
  }

  /// Why rows wait for longer than they should; nil when nothing failed.
  package var failure: HeadraceError? { state.withLock { $0.failures.lazy.compactMap(\.self).first } }

  /// What waits for one table.
  package struct Waiting: Sendable, Equatable {
    package var table: String
    /// Rows that no table has yet.
    package var rowCount: Int64 = 0
    /// Since when the oldest of them waits, by the monotonic clock.
    package var sinceMilliseconds: Int64?
    /// Why the last try failed; nil when nothing failed since rows went there.
    package var failure: HeadraceError?
  }

  /// By table.
  package var waiting: [Waiting] {
    state.withLock { state in
      var waiting = tables.indices.map { table in
        Waiting(
          table: tables[table].name, sinceMilliseconds: state.waitingSince[table], failure: state.failures[table])
      }
      for rows in state.segments.lazy.flatMap(\.tables) {
        guard let table = tables.firstIndex(where: { $0.name == rows.table }) else { continue }
        if rows.offsets.upperBound > state.published[table] ?? .min { waiting[table].rowCount += rows.rowCount }
      }
      return waiting
    }
  }

  /// Segments from now on: a checkpoint holds them.
  func replace(_ segments: [SpoolRecord.Segment]) { state.withLock { $0.segments = segments } }

  /// Segments of which some rows are in no table yet. A table that the plan does not have any more needs none.
  func unpublished(among segments: [SpoolRecord.Segment]) -> [SpoolRecord.Segment] {
    let published = state.withLock { $0.published }
    return segments.filter { segment in
      segment.tables.contains { rows in
        guard rows.rowCount > 0, let table = tables.firstIndex(where: { $0.name == rows.table }) else { return false }
        return rows.offsets.upperBound > published[table] ?? .min
      }
    }
  }

  /// The task is somebody else's from now on.
  func end() { state.withLock { $0.isEnded = true } }
}
