internal import CProcess
internal import Core
internal import Glibc

/// A program of somebody else, under limits. When this value goes, or this process dies, everything of the program is
/// killed: its children, their children, and those that made sessions of their own.
@safe
struct TrainerProcess: ~Copyable {
  /// How it ended.
  struct Ending {
    var startError: Int32
    var status: Int32
    /// Processes that it left behind, which were killed.
    var survivors: Int

    var isSuccess: Bool { startError == 0 && hr_status_did_exit(status) != 0 && hr_status_exit_code(status) == 0 }

    var description: String {
      if startError != 0 {
        return "it cannot be started: \(unsafe strerror(startError).map { unsafe String(cString: $0) } ?? "")".lowercased()
      }
      if hr_status_did_exit(status) != 0 { return "it ended with exit code \(hr_status_exit_code(status))" }
      let number = hr_status_signal(status)
      switch number {
      case SIGXFSZ: return "it was ended by SIGXFSZ: it wrote a larger file than it may"
      case SIGKILL: return "it was ended by SIGKILL"
      case SIGSEGV: return "it was ended by SIGSEGV"
      case SIGABRT: return "it was ended by SIGABRT"
      default: return "it was ended by signal \(number)"
      }
    }
  }

  struct Limits {
    var addressSpaceBytes: Int
    var fileBytes: Int
  }

  private var process = hr_process()
  private(set) var output: Bool = true
  private(set) var errors: Bool = true
  private var piece = [UInt8](repeating: 0, count: 1 << 16)

  /// - Parameters:
  ///   - arguments: the program's file first.
  ///   - held: a descriptor that stays open as long as anything of the program lives.
  init(
    _ arguments: [String], environment: [(name: String, value: String)], folder: String, limits: Limits, held: Int32
  ) throws(HeadraceError) {
    var started = hr_process()
    let code = unsafe CStringList.with(arguments) { words in
      unsafe CStringList.with(environment.map { "\($0.name)=\($0.value)" }) { variables in
        unsafe folder.withCString { folder in
          var program = unsafe hr_program(
            path: words[0], arguments: words, environment: variables, folder: folder,
            address_space_bytes: UInt64(max(0, limits.addressSpaceBytes)), file_bytes: UInt64(max(0, limits.fileBytes)),
            held: held)
          return unsafe hr_program_start(&program, &started)
        }
      }
    }
    guard code == 0 else {
      throw HeadraceError(
        .external, "TRAINER_FAILED", unsafe "no process: \(String(cString: strerror(code)))", retry: .sameCall)
    }
    process = started
  }

  deinit {
    close(process.control)
    for descriptor in [process.output, process.errors, process.report] { close(descriptor) }
    var status: Int32 = 0
    while unsafe waitpid(process.supervisor, &status, 0) < 0, errno == EINTR {}
  }

  func order(_ order: hr_program_order) {
    var byte = UInt8(truncatingIfNeeded: order.rawValue)
    _ = unsafe write(process.control, &byte, 1)
  }

  /// Waits for something to come, at most `milliseconds`, and hands it over.
  ///
  /// - Returns: how the program ended, once it has and all that it wrote was handed over.
  mutating func poll(
    milliseconds: Int32, _ body: (_ bytes: ArraySlice<UInt8>, _ isOutput: Bool) -> Void
  ) throws(HeadraceError) -> Ending? {
    var waiting = [
      pollfd(fd: output ? process.output : -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: errors ? process.errors : -1, events: Int16(POLLIN), revents: 0),
      // All that was written comes first.
      pollfd(fd: output || errors ? -1 : process.report, events: Int16(POLLIN), revents: 0),
    ]
    guard unsafe Glibc.poll(&waiting, 3, milliseconds) > 0 else { return nil }
    if waiting[0].revents != 0 { output = read(process.output) { body($0, true) } }
    if waiting[1].revents != 0 { errors = read(process.errors) { body($0, false) } }
    return waiting[2].revents != 0 ? try ending() : nil
  }

  /// - Returns: false at the end.
  private mutating func read(_ descriptor: Int32, _ body: (ArraySlice<UInt8>) -> Void) -> Bool {
    let count = unsafe Glibc.read(descriptor, &piece, piece.count)
    if count > 0 { body(piece[..<count]) }
    return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))
  }

  private func ending() throws(HeadraceError) -> Ending {
    var report = hr_program_report()
    let size = MemoryLayout<hr_program_report>.size
    let count = unsafe Glibc.read(process.report, &report, size)
    guard count == size else {
      throw HeadraceError(
        .external, "TRAINER_FAILED", "what watches over the program was killed", retry: .sameCall,
        remedy: "look for a shortage of memory in the system's log")
    }
    return Ending(startError: report.start_error, status: report.status, survivors: Int(report.survivors))
  }
}
