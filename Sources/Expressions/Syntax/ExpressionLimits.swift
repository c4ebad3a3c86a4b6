/// What one expression may be at most: its text comes from files that anybody may write.
enum ExpressionLimits {
  static let textBytesMax = 65_536
  /// Of the tree: bounds the stack of everything that walks it.
  static let depthMax = 200
  static let nodesMax = 5_000
  /// A longer text result is a fault and gives null: `replace` in `replace` may grow without end.
  static let textResultBytesMax = 1 << 20
}
