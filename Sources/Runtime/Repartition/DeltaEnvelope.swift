package import Core

/// What an upstream partition tells a downstream one: a piece of one row, or a watermark alone.
///
/// The record's key is the entity's key. Its value:
///
///     version     1 byte
///     flags       1 byte    1: the upstream partition is idle, 2: a row follows
///     partition   4 bytes   of the source's topic
///     first, next 8 + 8     offsets of the source: the delta holds records of first ..< next
///     watermark   8 bytes   of the upstream partition at `next`
///     view        8 bytes   fingerprint: a delta of another definition of the view is not merged
///     row         the bytes of a `FeatureRow`
///
/// All numbers are little-endian. A row is sent once: it is part of the transaction that commits `next`.
package struct DeltaEnvelope: Sendable, Equatable {
  package var partition: Int32
  package var firstOffset: Int64
  package var nextOffset: Int64
  package var watermark: Int64
  package var view: UInt64
  package var isIdle: Bool
  package var hasRow: Bool

  package static let sizeBytes = 38
  private static let version: UInt8 = 1

  package init(
    partition: Int32, firstOffset: Int64, nextOffset: Int64, watermark: Int64, view: UInt64, isIdle: Bool = false,
    hasRow: Bool
  ) {
    self.partition = partition
    self.firstOffset = firstOffset
    self.nextOffset = nextOffset
    self.watermark = watermark
    self.view = view
    self.isIdle = isIdle
    self.hasRow = hasRow
  }

  func write(to writer: inout ByteWriter) {
    writer.number(Self.version)
    writer.number(UInt8((isIdle ? 1 : 0) | (hasRow ? 2 : 0)))
    writer.number(partition)
    writer.number(firstOffset)
    writer.number(nextOffset)
    writer.number(watermark)
    writer.number(view)
  }

  /// The row, if there is one, is everything behind `sizeBytes`.
  package init(decoding bytes: RawSpan) throws(HeadraceError) {
    var reader = ByteReader(bytes, place: "a delta of a repartitioned view")
    let version = try reader.number(UInt8.self)
    guard version == Self.version else { throw reader.broken("version \(version), expected \(Self.version)") }
    let flags = try reader.number(UInt8.self)
    partition = try reader.number()
    firstOffset = try reader.number()
    nextOffset = try reader.number()
    watermark = try reader.number()
    view = try reader.number()
    isIdle = flags & 1 != 0
    hasRow = flags & 2 != 0
    guard partition >= 0, hasRow != reader.isAtEnd else { throw reader.broken("its parts contradict each other") }
  }
}
