/// Where the last few readers will go on, so that a sequential reader finds its place without a look-up.
struct ReadHints {
  private struct Hint {
    var offset: Int64
    var segmentBase: Int64
    var position: Int
  }

  private var hints = InlineArray<4, Hint>(repeating: Hint(offset: -1, segmentBase: -1, position: 0))
  private var next = 0

  /// The position in the segment of the first batch that ends behind the offset, if the last readers left it there.
  func position(of offset: Int64, segmentBase: Int64) -> Int? {
    for index in hints.indices where hints[index].offset == offset && hints[index].segmentBase == segmentBase {
      return hints[index].position
    }
    return nil
  }

  mutating func remember(offset: Int64, segmentBase: Int64, position: Int) {
    hints[next] = Hint(offset: offset, segmentBase: segmentBase, position: position)
    next = (next + 1) % hints.count
  }

  mutating func removeAll() { self = ReadHints() }
}
