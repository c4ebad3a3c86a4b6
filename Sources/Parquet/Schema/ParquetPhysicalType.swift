/// How a value is stored. Raw values are those of `Type` in parquet.thrift.
package enum ParquetPhysicalType: Int32, Sendable {
  case boolean = 0
  case int32
  case int64
  /// 12 bytes; only ever the timestamps that Impala and old Spark versions write.
  case int96
  case float
  case double
  case byteArray
  case fixedLengthByteArray

  /// Bytes of one value in PLAIN encoding; nil where the value says so itself.
  var fixedWidthBytes: Int? {
    switch self {
    case .int32, .float: 4
    case .int64, .double: 8
    case .int96: 12
    case .boolean, .byteArray, .fixedLengthByteArray: nil
    }
  }
}

/// Whether a field must, may or can repeatedly be there. Raw values are those of `FieldRepetitionType` in
/// parquet.thrift.
package enum ParquetRepetition: Int32, Sendable {
  case required = 0
  case optional
  case repeated
}

/// How pages are compressed. Raw values are those of `CompressionCodec` in parquet.thrift.
package enum ParquetCodec: Int32, Sendable, CaseIterable {
  case none = 0
  case snappy = 1
  case gzip = 2
  case zstd = 6
  /// Raw LZ4 blocks. The codec that parquet.thrift calls LZ4 (5) is a deprecated framing of Hadoop, which is refused.
  case lz4Raw = 7

  /// The name of a codec that parquet.thrift knows, for refusals.
  static func name(_ code: Int32) -> String {
    switch code {
    case 3: "LZO"
    case 4: "BROTLI"
    case 5: "LZ4 (the deprecated framing of Hadoop)"
    default: ParquetCodec(rawValue: code).map { "\($0)" } ?? "\(code)"
    }
  }
}
