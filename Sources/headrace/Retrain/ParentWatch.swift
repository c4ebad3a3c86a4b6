internal import Core
internal import Glibc
internal import Kafka

/// Ends this process with the one that started it, and lets it go first where processors are scarce.
enum ParentWatch {
  /// Of work beside a stream: what answers now comes before what answers tomorrow.
  private static let niceness: Int32 = 10

  /// Reads standard input, to which the parent writes nothing: its end is the parent's.
  ///
  /// - Throws: SETTING_INVALID when `HEADRACE_RETRAIN_NICE` is no priority.
  static func start() throws(HeadraceError) {
    _ = setpriority(Int32(PRIO_PROCESS.rawValue), 0, try setting())
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

  private static func setting() throws(HeadraceError) -> Int32 {
    guard let text = Environment["RETRAIN_NICE"] else { return niceness }
    guard let number = Int32(text), (0...19).contains(number) else {
      throw HeadraceError(
        .user, "SETTING_INVALID", "found \(text), expected 0 to 19", place: "HEADRACE_RETRAIN_NICE",
        remedy: "write 0 for work at the stream's own priority; the default is \(niceness)")
    }
    return number
  }
}
