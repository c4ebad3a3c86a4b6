internal import Features
internal import OnlineStore
internal import Runtime
internal import Synchronization

/// Why the owner of a row did not give it.
package struct PeerFailure: Equatable, Sendable {
  package var status: Int
  package var code: String
  package var message: String
  package var remedy: String?
  package var retryAfterSeconds: Int?

  package init(_ status: Int, _ code: String, _ message: String, remedy: String?, retryAfterSeconds: Int? = nil) {
    self.status = status
    self.code = code
    self.message = message
    self.remedy = remedy
    self.retryAfterSeconds = retryAfterSeconds
  }
}

/// A row that belongs to a task of another process.
struct ForeignRead: Hashable, Sendable {
  var view: Int
  var features: [Int]
  var key: EntityKey
  var partition: Int32
}

/// The rows that one request needs, or one batch of requests: those of this process from its own source, those of other
/// processes as their owners gave them.
///
/// A read of a row that is not there yet is noted and put off, so that all of them are asked for at once; whoever reads
/// looks at `hasPutOff` behind its last read, and reads again when they are there.
final class GatheredRows: OnlineFeatureSource {
  private struct State: Sendable {
    var found: [ForeignRead: Result<PeerRow, OnlineReadError>] = [:]
    /// In the order in which they were asked for, each once.
    var missing: [ForeignRead] = []
    var isMissing: Set<ForeignRead> = []
    var hasPutOff = false
  }

  private let source: any OnlineFeatureSource
  private let state = Mutex(State())

  init(_ source: any OnlineFeatureSource) { self.source = source }

  func read(
    view: Int, key: EntityKey, at time: ReadTime, features: [Int], into values: inout [FeatureValue]
  ) throws(OnlineReadError) -> ReadMoment {
    do throws(OnlineReadError) {
      return try source.read(view: view, key: key, at: time, features: features, into: &values)
    } catch {
      guard case .notOwned(let partition, _) = error else { throw error }
      values.removeAll(keepingCapacity: true)
      let read = ForeignRead(view: view, features: features, key: key, partition: partition)
      guard let row = try found(read) else { return ReadMoment(atMilliseconds: 0, watermarkMilliseconds: nil) }
      values.append(contentsOf: row.values)
      return row.moment
    }
  }

  private func found(_ read: ForeignRead) throws(OnlineReadError) -> PeerRow? {
    let found: Result<PeerRow, OnlineReadError>? = state.withLock { state in
      if let found = state.found[read] { return found }
      state.hasPutOff = true
      if state.isMissing.insert(read).inserted { state.missing.append(read) }
      return nil
    }
    return try found?.get()
  }

  func wait(for offsets: [RecordOffset], milliseconds: Int64) async throws(OnlineReadError) {
    try await source.wait(for: offsets, milliseconds: milliseconds)
  }

  func isHere(_ partition: Int32) -> Bool { source.isHere(partition) }

  var hasPutOff: Bool { state.withLock { $0.hasPutOff } }

  /// Begins another round of reads of one request.
  func begin() { state.withLock { $0.hasPutOff = false } }

  /// What has to be asked for, in the order in which it was read.
  var missing: [ForeignRead] { state.withLock { $0.missing } }

  func put(_ rows: [(read: ForeignRead, row: Result<PeerRow, OnlineReadError>)]) {
    state.withLock { state in
      for (read, row) in rows {
        state.found[read] = row
        state.isMissing.remove(read)
      }
      state.missing.removeAll { !state.isMissing.contains($0) }
    }
  }
}
