internal import Codecs

/// All decompressors. The first byte of an input chooses one, the second how a stream is cut; the rest is compressed
/// data.
final class CodecsTarget: FuzzTarget {
  static let name = "codecs"

  private enum Reader: UInt8, CaseIterable {
    case gzip, snappy, lz4, zstd, gzipStream, zstdStream, checksum

    init(selector: UInt8) {
      self = Self.allCases[Int(selector) % Self.allCases.count]
    }
  }

  /// Small, so that executions are cheap; the code is the same for a large one.
  private static let limit = DecompressionLimit(maximumBytes: 1 << 20, maximumRatio: 256, ratioFloorBytes: 128 << 10)
  private static let headBytes = 2

  private let decompressor = Decompressor()
  private let compressor = Compressor()

  func execute(_ input: [UInt8]) throws(Violation) -> Signature {
    guard input.count >= Self.headBytes else { return Signature() }
    let reader = Reader(selector: input[0])
    let data = Array(input[Self.headBytes...])
    var signature = Signature()
    signature.add(Int(reader.rawValue))
    switch reader {
    case .gzip: try check(data, .gzip, &signature)
    case .snappy: try check(data, .snappy, &signature)
    case .lz4: try check(data, .lz4, &signature)
    case .zstd: try check(data, .zstd, &signature)
    case .gzipStream: try checkStream(data, .gzip, pieceBytes: 1 + Int(input[1]), &signature)
    case .zstdStream: try checkStream(data, .zstd, pieceBytes: 1 + Int(input[1]), &signature)
    case .checksum: try checkChecksum(data, cut: Int(input[1]))
    }
    return signature
  }

  private func check(_ data: [UInt8], _ codec: CompressionCodec, _ signature: inout Signature) throws(Violation) {
    guard let output = decompressed(data, codec, &signature) else { return }
    let allowed = Self.limit.allowedBytes(inputBytes: data.count)
    guard output.count <= allowed else { throw Violation("\(output.count) bytes of output, \(allowed) allowed") }
    guard data.count % 16 == 0 else { return }
    guard let again = compressed(output, codec), decompressed(again, codec, &signature) == output else {
      throw Violation("\(codec): what was read does not come back when it is compressed again")
    }
  }

  /// Cut anywhere, a stream yields what the whole yields.
  private func checkStream(
    _ data: [UInt8], _ codec: CompressionCodec, pieceBytes: Int, _ signature: inout Signature
  ) throws(Violation) {
    let stream = ByteStreamDecompressor(codec: codec, maximumBytesPerAppend: Self.limit.maximumBytes)
    var output: [UInt8] = []
    var failure: CodecError?
    do throws(CodecError) {
      var start = 0
      while start < data.count && output.count <= Self.limit.maximumBytes {
        let end = min(data.count, start + pieceBytes)
        try Self.append(data[start..<end], to: stream, &output)
        start = end
      }
      try stream.finish()
    } catch {
      failure = error
    }
    signature.add(failure.map { $0.kind.rawValue } ?? "fine")
    signature.add(sizeClassOf: output.count)
    guard failure == nil, let whole = decompressed(data, codec, &signature) else { return }
    guard whole == output else { throw Violation("\(codec): pieces of \(pieceBytes) bytes give other output") }
  }

  private func checkChecksum(_ data: [UInt8], cut: Int) throws(Violation) {
    let middle = min(cut, data.count)
    let whole = unsafe data.withUnsafeBytes { unsafe CRC32C.checksum($0) }
    let portable = unsafe data.withUnsafeBytes { unsafe CRC32C.portableChecksum($0) }
    let first = unsafe data[..<middle].withUnsafeBytes { unsafe CRC32C.checksum($0) }
    let both = unsafe data[middle...].withUnsafeBytes { unsafe CRC32C.checksum($0, extending: first) }
    guard whole == portable, whole == both else { throw Violation("CRC-32C differs from itself") }
  }

  private func decompressed(_ data: [UInt8], _ codec: CompressionCodec, _ signature: inout Signature) -> [UInt8]? {
    do throws(CodecError) {
      let output = unsafe try data.span.bytes.withUnsafeBytes { (input) throws(CodecError) in
        unsafe Array(try decompressor.decompress(input, codec: codec, limit: Self.limit))
      }
      signature.add(sizeClassOf: output.count)
      return output
    } catch {
      signature.add(error.detail.filter { !$0.isNumber })
      return nil
    }
  }

  private func compressed(_ data: [UInt8], _ codec: CompressionCodec) -> [UInt8]? {
    try? unsafe data.span.bytes.withUnsafeBytes { (input) throws(CodecError) in
      unsafe try compressor.compress(input, codec: codec)
    }
  }

  private static func append(
    _ piece: ArraySlice<UInt8>, to stream: ByteStreamDecompressor, _ output: inout [UInt8]
  ) throws(CodecError) {
    unsafe try piece.span.bytes.withUnsafeBytes { (input) throws(CodecError) in
      unsafe try stream.append(input, to: &output)
    }
  }
}

// MARK: Seeds

extension CodecsTarget {
  func seeds() throws -> [Seed] {
    let text = Self.lines(count: 12)
    let zeros = [UInt8](repeating: 0, count: 5_000)
    var seeds: [Seed] = []
    for (reader, codec) in [(Reader.gzip, CompressionCodec.gzip), (.snappy, .snappy), (.lz4, .lz4), (.zstd, .zstd)] {
      for (name, bytes) in [("lines", text), ("zeros", zeros), ("empty", [])] {
        guard let data = compressed(bytes, codec) else { throw FuzzError("cannot compress a seed") }
        seeds.append(Seed(name: "\(codec)-\(name)", bytes: [reader.rawValue, 0] + data))
        if reader == .gzip || reader == .zstd {
          let stream = reader == .gzip ? Reader.gzipStream : .zstdStream
          seeds.append(Seed(name: "\(codec)-stream-\(name)", bytes: [stream.rawValue, 6] + data + data))
        }
      }
    }
    let block = compressed(text, .snappy) ?? []
    let magic: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    let length: [UInt8] = [0, 0, UInt8(truncatingIfNeeded: block.count >> 8), UInt8(truncatingIfNeeded: block.count)]
    seeds.append(
      Seed(name: "snappy-java", bytes: [Reader.snappy.rawValue, 0] + magic + length + block + length + block))
    seeds.append(Seed(name: "checksum", bytes: [Reader.checksum.rawValue, 100] + zeros + text))
    return seeds
  }

  private static func lines(count: Int) -> [UInt8] {
    (0..<count).flatMap { Array(#"{"carrier":"AA","flight":\#($0 * 37),"dep_delay":\#($0 % 5 - 2)}"#.utf8) + [0x0a] }
  }
}
