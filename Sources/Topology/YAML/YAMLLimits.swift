/// What a topology file may cost: it comes from outside, over HTTP and the control topic as well.
package struct YAMLLimits: Sendable {
  package var bytesMax = 1 << 20
  /// Aliases counted as often as they are used.
  package var nodesMax = 10_000
  package var depthMax = 64

  package init() {}
}
