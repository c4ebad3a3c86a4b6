/// How the records of a batch are compressed. Raw values are those of bits 0-2 of a record batch's attributes.
package enum CompressionCodec: UInt8, Sendable, CaseIterable {
  case none = 0
  case gzip
  case snappy
  case lz4
  case zstd
}
