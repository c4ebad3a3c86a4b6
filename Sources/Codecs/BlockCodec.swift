/// How one block of known size is compressed: no framing besides what the format itself brings.
package enum BlockCodec: Sendable, CaseIterable {
  /// A raw Snappy block.
  case snappy
  /// One gzip member.
  case gzip
  /// A raw LZ4 block, without the frame that `CompressionCodec.lz4` has.
  case lz4
  /// One Zstandard frame.
  case zstd
}
