internal import Glibc

/// Work that can wait: the scheduler prefers everybody else.
enum Priority {
  /// For the whole process. Where it is refused the work goes on as it is.
  ///
  /// - Parameter niceness: 0 to 19, as nice(1) has it.
  static func yield(niceness: Int32) { _ = nice(niceness) }
}
