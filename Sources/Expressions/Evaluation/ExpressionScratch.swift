/// Buffers that evaluations reuse. One for each thread; any number of expressions may share it.
package struct ExpressionScratch: Sendable {
  var registers: [Register] = []
  /// What the last instruction writes.
  var output = Register()

  package init() {}
}
