internal import Core
internal import Glibc

/// A process of our own program for work that must not take the stream down with it. It ends when its parent does: it
/// sees the end of the pipe that only the parent writes to.
final class ChildProcess {
  private let identifier: pid_t
  private let leash: Int32
  private var status: Int32?

  /// - Parameters:
  ///   - arguments: without the program's name.
  ///   - log: gets what it says; appended to.
  init(_ arguments: [String], log: String) throws(HeadraceError) {
    var pipe: [Int32] = [-1, -1]
    guard unsafe Glibc.pipe(&pipe) == 0 else { throw .file(log, "no pipe can be made") }
    leash = pipe[1]
    let inner = pipe[0]
    for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, inner, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
    let program = "/proc/self/exe"
    var words: [UnsafeMutablePointer<CChar>?] = unsafe (["headrace"] + arguments).map { unsafe strdup($0) }
    unsafe words.append(nil)
    defer { unsafe words.forEach { unsafe free($0) } }
    var identifier: pid_t = 0
    let result = unsafe posix_spawn(&identifier, program, &actions, nil, words, environ)
    close(inner)
    guard result == 0 else {
      close(leash)
      throw HeadraceError(.external, "WORK_NOT_STARTED", "the process cannot be started: error \(result)", place: log)
    }
    self.identifier = identifier
  }

  deinit { kill() }

  /// How it ended: its exit status, or 128 and the signal; nil while it runs.
  func poll() -> Int32? {
    if let status { return status }
    var raw: Int32 = 0
    let found = unsafe waitpid(identifier, &raw, WNOHANG)
    guard found == identifier || (found < 0 && errno == ECHILD) else { return nil }
    let signal = raw & 0x7f
    status = found < 0 ? 1 : signal == 0 ? (raw >> 8) & 0xff : 128 + signal
    close(leash)
    return status
  }

  /// Ends it at once, and waits until it is gone.
  func kill() {
    guard status == nil else { return }
    _ = Glibc.kill(identifier, SIGKILL)
    var raw: Int32 = 0
    while unsafe waitpid(identifier, &raw, 0) < 0, errno == EINTR {}
    status = 128 + SIGKILL
    close(leash)
  }
}
