/// How a file is written. The defaults suit tables that many tools read.
package struct ParquetWriterConfiguration: Sendable {
  package enum PageVersion: Sendable {
    /// What every reader takes.
    case v1
    /// Levels outside of the compressed part.
    case v2
  }

  package var codec = ParquetCodec.zstd
  /// 1 (fast) to 22 (small).
  package var zstandardLevel = 1
  /// A row group ends when it has so many rows, or so many bytes wait to be written: this much memory is taken.
  package var rowGroupRows = 1 << 20
  package var rowGroupBytes = 64 << 20
  /// A page ends when its values, before compression, reach so many bytes, or so many rows.
  package var pageBytes = 1 << 20
  package var pageRows = 1 << 17
  package var pageVersion = PageVersion.v1
  /// A chunk whose dictionary grows above so many bytes goes on without one; 0: no dictionaries.
  package var dictionaryBytes = 4 << 20
  /// Whether DELTA_BINARY_PACKED and BYTE_STREAM_SPLIT are taken where a sample of a chunk is smaller with them.
  package var choosesEncodings = true
  package var writesChecksums = true
  package var writesPageIndex = true
  /// Dotted paths of leaves that get a bloom filter: for look-ups of values that min and max cannot exclude.
  package var bloomFilters: Set<String> = []
  /// How often a bloom filter may say that a value is there when it is not.
  package var bloomFalsePositives = 0.01
  package var maximumBloomBytes = 1 << 20
  package var keyValueMetadata: [(key: String, value: String)] = []
  /// Columns are encoded by so many threads where many rows come at once; the file's bytes are the same.
  package var threadCount = 1
  /// `created_by` of the file, which readers parse: `NAME version X (build Y)`.
  package var createdBy = "headrace version 0.1.0 (build 0)"

  package init() {}
}
