internal import CKernels

/// Features are computed as doubles, models read floats.
enum Narrowing {
  static func narrow(
    _ from: UnsafePointer<Double>, _ fromStride: Int, rowCount: Int, width: Int, _ to: UnsafeMutablePointer<Float>
  ) {
    unsafe ckernels_narrow(from, fromStride, rowCount, width, to)
  }
}
