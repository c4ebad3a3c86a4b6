internal import Glibc

/// Work that can wait: the scheduler prefers everybody else.
enum Priority {
  private static let niceness: Int32 = 10

  /// For the whole process. Where it is refused the work goes on as it is.
  static func yield() { _ = nice(niceness) }
}
