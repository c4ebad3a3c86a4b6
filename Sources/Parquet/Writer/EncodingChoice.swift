internal import Codecs
internal import Columns

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Decides, from the first values of a column chunk, whether it begins with a dictionary and how it is encoded without.
///
/// Sizes are compared as they are after compression. What does not pay on the sample by a margin is not taken: PLAIN is
/// what every reader is fastest at.
struct EncodingChoice: Equatable {
  var usesDictionary: Bool
  /// Without a dictionary, or after it has grown too large.
  var direct: ParquetEncoding

  /// Values from which the number of distinct ones is estimated, and those that are compressed for a trial.
  static let sampleCount = 16_384
  private static let trialCount = 4_096
  /// Row groups of the size that most tables have: what a dictionary must pay for.
  private static let expectedCount = 262_144.0
  private static let margin = 0.95
  /// A dictionary of few values stays in the processor's nearest cache, and takes a fraction of the time to write and
  /// to read: it may be somewhat larger. A large one must pay by its size.
  private static let smallDictionaryCount = 4_096.0
  private static let smallDictionaryMargin = 1.35

  /// - Parameters:
  ///   - sample: the first values, as they are stored, without nulls.
  ///   - distinct: how many of them differ; nil: no dictionary is wanted.
  static func make(
    _ sample: borrowing Column, rows: Range<Int>, distinct: Int?, leaf: ParquetLeaf, trial: EncodingTrial
  ) -> EncodingChoice {
    let tried = rows.prefix(trialCount)
    let plain = trial.bytes(tried, of: sample, leaf, .plain)
    var direct = ParquetEncoding.plain
    var best = plain
    let alternatives = trial.choosesEncodings ? alternatives(leaf) : []
    for encoding in alternatives {
      let bytes = trial.bytes(tried, of: sample, leaf, encoding)
      guard Double(bytes) < Double(best) * margin else { continue }
      (direct, best) = (encoding, bytes)
    }
    guard let distinct, !tried.isEmpty else { return EncodingChoice(usesDictionary: false, direct: direct) }
    let directBytes = Double(best) / Double(tried.count)
    let plainBytes = Double(plain) / Double(tried.count)
    let values = expectedDistinct(distinct, of: rows.count)
    let indexBits = values <= 2 ? 1 : log2(values).rounded(.up)
    let dictionary = values * plainBytes + expectedCount * indexBits / 8
    let margin = values <= smallDictionaryCount ? smallDictionaryMargin : margin
    return EncodingChoice(usesDictionary: dictionary < expectedCount * directBytes * margin, direct: direct)
  }

  private static func alternatives(_ leaf: ParquetLeaf) -> [ParquetEncoding] {
    switch leaf.physicalType {
    case .int32, .int64: [.deltaBinaryPacked]
    case .float, .double: [.byteStreamSplit]
    default: []
    }
  }

  /// How many distinct values `expectedCount` draws have, when `count` draws had `distinct`.
  ///
  /// `count` draws from D equally likely values hit D (1 - exp(-count / D)) of them; D is found by halving.
  private static func expectedDistinct(_ distinct: Int, of count: Int) -> Double {
    guard distinct < count else { return expectedCount }
    func hit(_ draws: Double, _ values: Double) -> Double { values * (1 - exp(-draws / values)) }
    var (low, high) = (Double(max(distinct, 1)), expectedCount * 64)
    for _ in 0..<48 {
      let middle = (low * high).squareRoot()
      if hit(Double(count), middle) < Double(distinct) { low = middle } else { high = middle }
    }
    return max(hit(expectedCount, high), 1)
  }
}

/// Encodes and compresses a sample to see how large it gets.
final class EncodingTrial {
  let choosesEncodings: Bool
  private let codec: ParquetCodec
  private let compressor: BlockCompressor
  private let page = PageBuffer()
  private let compressed = PageBuffer()

  init(codec: ParquetCodec, compressor: BlockCompressor, choosesEncodings: Bool) {
    self.codec = codec
    self.compressor = compressor
    self.choosesEncodings = choosesEncodings
  }

  func bytes(_ rows: Range<Int>, of values: borrowing Column, _ leaf: ParquetLeaf, _ encoding: ParquetEncoding) -> Int {
    page.removeAll()
    DirectEncoder.append(rows, of: values, leaf, encoding, to: page)
    guard let block = codec.block, page.count > 0 else { return page.count }
    let room = unsafe compressed.replace(compressor.maximumBytes(inputBytes: page.count, codec: block))
    let written = try? unsafe compressor.compress(page.bytes, codec: block, into: room)
    return written ?? page.count
  }
}
