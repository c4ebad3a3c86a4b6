package import Core

/// How writing an object under a contested name ended.
package enum BlobCreation: Sendable, Equatable {
  /// It is there, and it is ours.
  case created
  /// Somebody else was first: what they wrote.
  case exists([UInt8])
}

extension BlobStore {
  /// Writes an object unless there is one of that name, and finds out who won when the store does not say.
  ///
  /// A time-out may hide a success, and a refusal may be the echo of our own first attempt (a proxy that repeats). So
  /// whenever an attempt is not plainly a success, the object is read back and compared. That decides only if no other
  /// writer can write the same bytes: callers put something unique into them.
  ///
  /// - Throws: STORE_OUTCOME_UNKNOWN (`.unknownOutcome`) when the store gave no clear answer to the last.
  package func create(
    _ name: BlobName, _ bytes: [UInt8], attemptsMax: Int = 6
  ) throws(HeadraceError) -> BlobCreation {
    var last: HeadraceError?
    for attempt in 0..<attemptsMax {
      if attempt > 0 { Sleep.milliseconds(Self.jittered(backoffMilliseconds << min(attempt - 1, 6))) }
      do throws(HeadraceError) {
        if try putIfAbsent(name, bytes) { return .created }
      } catch {
        guard error.retry == .unknownOutcome || error.retry == .sameCall else { throw error }
        last = error
      }
      do throws(HeadraceError) {
        guard let found = try read(name, bytesMax: max(Self.contestedBytesMax, bytes.count)) else { continue }
        return found == bytes ? .created : .exists(found)
      } catch {
        guard error.retry == .sameCall else { throw error }
        last = error
      }
    }
    throw HeadraceError(
      .external, "STORE_OUTCOME_UNKNOWN",
      "the store did not say whether the object was written: \(last?.message ?? "it came and went")",
      retry: .unknownOutcome, place: "\(place)/\(name)", remedy: "read it back once the store answers again")
  }

  /// Objects under contested names are commits: small.
  private static var contestedBytesMax: Int { 256 << 20 }

  private static func jittered(_ milliseconds: Int) -> Int {
    milliseconds <= 0 ? 0 : Int.random(in: milliseconds / 2...milliseconds * 3 / 2)
  }
}
