internal import Core

/// The part of a column chunk that is in memory. It moves forward as pages are read, in pieces that suit an object
/// store, so that a chunk of any size takes bounded memory.
final class ChunkWindow {
  private static let pieceBytes = 8 << 20

  private let source: any ParquetSource
  private let buffer = PageBuffer()
  /// Where the chunk lies in the file.
  private(set) var range = 0..<0
  private var loaded = 0..<0

  init(_ source: any ParquetSource) { self.source = source }

  func open(_ range: Range<Int>) {
    self.range = range
    loaded = range.lowerBound..<range.lowerBound
  }

  /// What is in memory from `offset` on, at least `count` bytes unless the chunk ends before.
  func bytes(at offset: Int, atLeast count: Int) throws(HeadraceError) -> UnsafeRawBufferPointer {
    let end = min(range.upperBound, offset + min(count, range.upperBound - offset))
    if offset < loaded.lowerBound || end > loaded.upperBound {
      let wanted = min(max(end - offset, Self.pieceBytes), range.upperBound - offset)
      let room = unsafe buffer.replace(wanted)
      loaded = offset..<offset
      unsafe try source.read(at: offset, into: room)
      loaded = offset..<offset + wanted
    }
    return unsafe UnsafeRawBufferPointer(rebasing: buffer.bytes[(offset - loaded.lowerBound)...])
  }
}
