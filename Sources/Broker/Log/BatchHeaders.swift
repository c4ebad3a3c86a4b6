/// Walks over the headers of a segment's batches without reading their records; for look-ups, which pass over a few
/// small batches.
struct BatchHeaders {
  private static let chunkBytes = 4_096

  private let file: LogFile
  private let end: Int
  private var chunk: [UInt8] = []
  /// What the chunk holds of the file.
  private var window = 0..<0
  /// Where the next batch begins.
  private var position: Int

  /// - Parameter position: where a batch begins.
  init(_ file: LogFile, from position: Int, end: Int) {
    self.file = file
    self.position = position
    self.end = end
  }

  /// The next header and the position of its batch; nil at the end of the segment.
  mutating func next() throws(LogError) -> (header: RecordBatchHeader, position: Int)? {
    guard position < end else { return nil }
    if !window.contains(position) || window.upperBound - position < RecordBatchHeader.sizeBytes { try load() }
    guard
      let header = unsafe RecordBatchHeader(chunk.span.bytes.extracting((position - window.lowerBound)..<window.count)),
      header.sizeBytes >= RecordBatchHeader.sizeBytes, header.sizeBytes <= end - position
    else { throw .corrupt(path: file.path, position: position) }
    defer { position += header.sizeBytes }
    return (header, position)
  }

  private mutating func load() throws(LogError) {
    if chunk.isEmpty { chunk = [UInt8](repeating: 0, count: Self.chunkBytes) }
    let start = position
    let count = min(Self.chunkBytes, end - position)
    let file = file
    do throws(StorageFailure) {
      var elements = chunk.mutableSpan
      var bytes = unsafe elements.mutableBytes
      let read = try file.read(count, into: &bytes, at: start)
      window = start..<(start + read)
    } catch {
      throw .storage(error)
    }
  }
}
