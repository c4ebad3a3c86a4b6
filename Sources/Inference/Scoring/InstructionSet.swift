internal import CKernels

/// Which instructions the kernels use. The result of trees does not depend on it, that of dense layers in the last
/// bits.
package enum InstructionSet: UInt32, Sendable, CaseIterable, Comparable {
  /// What every processor of the platform has: SSE2 on x86-64, NEON on 64-bit ARM.
  case baseline
  case avx2
  /// With VBMI: Ice Lake, Zen 4 and later.
  case avx512

  /// The richest one of this processor.
  package static let best = Self(rawValue: ckernels_best_level()) ?? .baseline

  package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
