/// How the values of a page are encoded. Raw values are those of `Encoding` in parquet.thrift.
enum ParquetEncoding: Int32 {
  case plain = 0
  /// Dictionary indexes as old writers name them.
  case plainDictionary = 2
  case rle = 3
  case bitPacked = 4
  case deltaBinaryPacked = 5
  case deltaLengthByteArray = 6
  case deltaByteArray = 7
  case rleDictionary = 8
  case byteStreamSplit = 9
}
