/// The column families of a task's database, in the order in which it is opened with them.
enum StoreFamily {
  /// Format, checkpoint, namespaces.
  static let meta = 0
  /// Namespace (32 bit, big-endian), entity key → the bytes of a `FeatureRow`.
  static let rows = 1
  /// Group (32 bit, big-endian), 128-bit hash of an event id → event time.
  static let dedupe = 2
  /// Namespace (32 bit, big-endian), end of a tile (64 bit, big-endian, sign turned round), entity key → marks.
  static let touches = 3
}
