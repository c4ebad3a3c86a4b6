package import Core

/// Where a file's bytes come from: memory, a disk, or what was fetched from an object store.
package protocol ParquetSource {
  var sizeBytes: Int { get }

  /// Fills `buffer` with the bytes from `offset` on: all of it, or it throws.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(HeadraceError)
}

extension ParquetSource {
  /// - Precondition: 0 ≤ lower bound and upper bound ≤ `sizeBytes`.
  func bytes(in range: Range<Int>) throws(HeadraceError) -> [UInt8] {
    var failure: HeadraceError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
      do throws(HeadraceError) {
        let whole = UnsafeMutableRawBufferPointer(buffer)
        unsafe try read(at: range.lowerBound, into: UnsafeMutableRawBufferPointer(rebasing: whole[..<range.count]))
        count = range.count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }
}

/// A file that is in memory whole.
package struct ParquetBytes: ParquetSource, Sendable {
  private let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package var sizeBytes: Int { bytes.count }

  package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(HeadraceError) {
    guard offset >= 0, buffer.count <= bytes.count, offset <= bytes.count - buffer.count else {
      throw .outsideOfFile(offset: offset, count: buffer.count, sizeBytes: sizeBytes)
    }
    unsafe bytes.withUnsafeBytes { unsafe buffer.copyMemory(from: .init(rebasing: $0[offset..<offset + buffer.count])) }
  }
}

/// Ranges of a file that were fetched beforehand, as from an object store: see `ParquetFile.byteRanges`.
package struct ParquetRanges: ParquetSource, Sendable {
  package struct Piece: Sendable {
    package var offset: Int
    package var bytes: [UInt8]

    package init(offset: Int, bytes: [UInt8]) {
      self.offset = offset
      self.bytes = bytes
    }
  }

  package let sizeBytes: Int
  private let pieces: [Piece]

  package init(sizeBytes: Int, _ pieces: [Piece]) {
    self.sizeBytes = sizeBytes
    self.pieces = pieces.sorted { $0.offset < $1.offset }
  }

  package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(HeadraceError) {
    // The last piece that begins at or before the offset.
    var (low, high) = (0, pieces.count)
    while low < high {
      let middle = (low + high) / 2
      if pieces[middle].offset <= offset { low = middle + 1 } else { high = middle }
    }
    guard low > 0, offset - pieces[low - 1].offset <= pieces[low - 1].bytes.count - buffer.count else {
      throw HeadraceError(
        .internal, "PARQUET_NOT_FETCHED", "bytes \(offset) to \(offset + buffer.count) were not fetched",
        remedy: "fetch what ParquetFile.byteRanges names")
    }
    let start = offset - pieces[low - 1].offset
    unsafe pieces[low - 1].bytes.withUnsafeBytes {
      unsafe buffer.copyMemory(from: .init(rebasing: $0[start..<start + buffer.count]))
    }
  }
}

extension HeadraceError {
  static func outsideOfFile(offset: Int, count: Int, sizeBytes: Int) -> HeadraceError {
    HeadraceError(
      .external, "PARQUET_CORRUPT", "\(count) bytes at byte \(offset) of a file of \(sizeBytes) bytes",
      remedy: "the file is cut short or damaged: write it again")
  }
}
