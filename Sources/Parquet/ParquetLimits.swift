/// What Headrace takes from a file, whatever the file claims. Fixed figures of the format's reader; what a caller may
/// want to change stands in `ParquetReaderConfiguration`.
enum ParquetLimits {
  /// `"PAR1"`, at both ends of a file.
  static let magic: [UInt8] = Array("PAR1".utf8)
  /// `"PARE"`: the footer is encrypted.
  static let encryptedMagic: [UInt8] = Array("PARE".utf8)
  /// The footer's length and the magic behind it.
  static let tailBytes = 8
  static let maximumFooterBytes = 256 << 20
  /// A page header holds statistics, which old writers do not cut.
  static let maximumPageHeaderBytes = 16 << 20
  /// One page, expanded. Writers aim at 1 MiB; a page has at least one value, which may be large.
  static let maximumPageBytes = 1 << 30
  static let maximumFixedLengthBytes = 1 << 20
  static let maximumRowGroups = 1 << 20
}
