/// Bounds the open files and loaded indexes of closed segments over all logs of a broker.
package final class SegmentCache {
  private let capacity: Int
  /// The least recently used first.
  private var segments: [LogSegment] = []

  package init(capacity: Int = 32) { self.capacity = capacity }

  /// Opens the segment if it is not open. An index file that is missing or torn costs a scan, no more.
  func open(_ segment: LogSegment) throws(LogError) -> LogSegment.Opened {
    if let opened = segment.opened {
      if segments.last !== segment, let place = segments.firstIndex(where: { $0 === segment }) {
        segments.append(segments.remove(at: place))
      }
      return opened
    }
    let opened = try Self.load(segment)
    segment.opened = opened
    segments.append(segment)
    if segments.count > capacity { segments.removeFirst().opened = nil }
    return opened
  }

  /// Puts a segment that was just closed under the cache's care.
  func adopt(_ segment: LogSegment) {
    segments.append(segment)
    if segments.count > capacity { segments.removeFirst().opened = nil }
  }

  func forget(_ segment: LogSegment) {
    segments.removeAll { $0 === segment }
    segment.opened = nil
  }

  private static func load(_ segment: LogSegment) throws(LogError) -> LogSegment.Opened {
    do {
      let file = try LogFile(segment.logPath, .read)
      if let index = SegmentIndexFile.index(path: segment.indexPath) {
        return LogSegment.Opened(file: file, index: index)
      }
      let index = try SegmentIndex(scanning: file, of: segment.summary, intervalBytes: 4_096)
      return LogSegment.Opened(file: file, index: index)
    } catch {
      throw .storage(error)
    }
  }
}
