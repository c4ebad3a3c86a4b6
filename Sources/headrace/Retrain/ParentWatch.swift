internal import Core
internal import Glibc
internal import Kafka

/// Ends this process with the one that started it.
enum ParentWatch {
  /// Reads standard input, to which the parent writes nothing: its end is the parent's.
  static func start() throws(HeadraceError) {
    _ = setpriority(Int32(PRIO_PROCESS.rawValue), 0, 10)
    try BlockingThread.start(name: "parent") {
      var byte: UInt8 = 0
      while true {
        let count = unsafe read(0, &byte, 1)
        if count < 0, errno == EINTR { continue }
        if count <= 0 { break }
      }
      // What it has made is under its name as a whole, or not at all.
      KillSwitch.die()
    }
  }
}
