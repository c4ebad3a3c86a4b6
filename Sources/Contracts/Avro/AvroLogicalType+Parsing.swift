internal import Core

extension AvroLogicalType {
  /// What a type's attributes say; nil when they say nothing that goes with its shape, which means the plain type.
  init?(_ json: JSONDocument, shape: AvroType.Shape) {
    guard let name = json["logicalType"]?.string else { return nil }
    switch (name, shape) {
    case ("date", .int): self = .date
    case ("time-millis", .int): self = .timeMillis
    case ("time-micros", .long): self = .timeMicros
    case ("timestamp-millis", .long): self = .timestampMillis
    case ("timestamp-micros", .long): self = .timestampMicros
    case ("local-timestamp-millis", .long): self = .localTimestampMillis
    case ("local-timestamp-micros", .long): self = .localTimestampMicros
    case ("uuid", .string), ("uuid", .fixed(16)): self = .uuid
    case ("decimal", .bytes), ("decimal", .fixed):
      let scale = json["scale"].map { $0.integer } ?? 0
      guard let precision = json["precision"]?.integer, let scale, precision > 0, (0...precision).contains(scale) else {
        return nil
      }
      if case .fixed(let sizeBytes) = shape, precision > Self.digits(sizeBytes: sizeBytes) { return nil }
      self = .decimal(precision: Int(precision), scale: Int(scale))
    default: return nil
    }
  }

  /// How many decimal digits always fit into a two's complement number: floor(log10(2^(8n - 1) - 1)).
  private static func digits(sizeBytes: Int) -> Int64 {
    guard sizeBytes > 0 else { return 0 }
    // log10(2) as a fraction that is exact enough for every size that a schema may have.
    return Int64(8 * sizeBytes - 1) * 30_103 / 100_000
  }
}
