internal import Core
internal import Glibc

/// A process of our own program for work that must not take the stream down with it. It ends when its parent does: it
/// sees the end of the pipe that only the parent writes to.
///
/// It is a process group of its own, so that Ctrl-C on the terminal is ours alone: we drain, and end it ourselves.
final class ChildProcess {
  private let identifier: pid_t
  private let leash: Int32
  private var status: Int32?

  /// - Parameters:
  ///   - arguments: without the program's name.
  ///   - log: gets what it says; appended to.
  init(_ arguments: [String], log: String) throws(HeadraceError) {
    var pair: [Int32] = [-1, -1]
    // Two ends of a pipe, closed at exec from the beginning: another process that starts at this very moment must not
    // hold ours open.
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard unsafe socketpair(AF_UNIX, kind, 0, &pair) == 0 else { throw .file(log, "no pipe can be made") }
    leash = pair[1]
    let inner = pair[0]
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, inner, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    let program = "/proc/self/exe"
    var words: [UnsafeMutablePointer<CChar>?] = unsafe (["headrace"] + arguments).map { unsafe strdup($0) }
    unsafe words.append(nil)
    defer { unsafe words.forEach { unsafe free($0) } }
    var identifier: pid_t = 0
    let result = unsafe posix_spawn(&identifier, program, &actions, &attributes, words, environ)
    close(inner)
    guard result == 0 else {
      close(leash)
      let reason = unsafe String(cString: strerror(result)).lowercased()
      throw HeadraceError(
        .external, "WORK_NOT_STARTED", "the process cannot be started: \(reason)", retry: .sameCall, place: log,
        remedy: "look for a shortage of memory or of processes")
    }
    self.identifier = identifier
  }

  deinit { kill() }

  /// How it ended.
  enum Ending: Equatable {
    case exit(Int32)
    /// By a signal; somebody asked it to go, or the system took its memory back.
    case signal(Int32)

    /// Whether somebody asked it to go, as whoever stops a service or a machine asks every process of it.
    var wasAsked: Bool { [.signal(SIGTERM), .signal(SIGINT), .signal(SIGHUP)].contains(self) }

    var text: String {
      switch self {
      case .exit(let status): "exit status \(status)"
      case .signal(SIGKILL): "SIGKILL: perhaps by the system, for its memory"
      case .signal(let number): "signal \(number)"
      }
    }
  }

  /// How it ended; nil while it runs.
  func poll() -> Ending? {
    if let status { return Self.ending(status) }
    var raw: Int32 = 0
    let found = unsafe waitpid(identifier, &raw, WNOHANG)
    guard found == identifier || (found < 0 && errno == ECHILD) else { return nil }
    // Gone without a word, because somebody else has waited for it: as if it had failed.
    let known = found < 0 ? 1 << 8 : raw
    status = known
    close(leash)
    return Self.ending(known)
  }

  private static func ending(_ raw: Int32) -> Ending {
    let signal = raw & 0x7f
    return signal == 0 ? .exit((raw >> 8) & 0xff) : .signal(signal)
  }

  /// Ends it at once, and waits until it is gone.
  func kill() {
    guard status == nil else { return }
    _ = Glibc.kill(identifier, SIGKILL)
    var raw: Int32 = 0
    while unsafe waitpid(identifier, &raw, 0) < 0, errno == EINTR {}
    status = SIGKILL
    close(leash)
  }
}
