import Core
import Glibc

@testable import Kafka

/// A throw-away authority with a server's and a client's certificate, made by the openssl command.
struct Certificates: Sendable {
  let folder: String

  /// - Parameter hostName: what the server's certificate names.
  static func make(hostName: String) throws -> Certificates {
    let certificates = Certificates(folder: try Node.temporaryFolder())
    try certificates.makeAuthority("authority")
    try certificates.makeAuthority("stranger")
    try certificates.issue("server", by: "authority", alternativeName: "DNS:\(hostName)")
    try certificates.issue("client", by: "authority", alternativeName: "DNS:client")
    try certificates.issue("intruder", by: "stranger", alternativeName: "DNS:client")
    return certificates
  }

  func certificate(_ name: String) -> String { "\(folder)/\(name).pem" }
  func key(_ name: String) -> String { "\(folder)/\(name).key" }

  private static let keyOptions = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

  private func makeAuthority(_ name: String) throws {
    try Self.openssl(
      ["req", "-x509"] + Self.keyOptions + [
        "-days", "2", "-subj", "/CN=\(name)", "-keyout", key(name), "-out", certificate(name),
      ])
  }

  private func issue(_ name: String, by authority: String, alternativeName: String) throws {
    let request = "\(folder)/\(name).csr"
    let extensions = "\(folder)/\(name).ext"
    try Self.openssl(["req"] + Self.keyOptions + ["-subj", "/CN=\(name)", "-keyout", key(name), "-out", request])
    guard let file = unsafe fopen(extensions, "w") else {
      throw HeadraceError(.external, "TEST_FILE", "cannot write", place: extensions)
    }
    unsafe fputs("subjectAltName=\(alternativeName)\n", file)
    unsafe fclose(file)
    try Self.openssl([
      "x509", "-req", "-in", request, "-CA", certificate(authority), "-CAkey", key(authority), "-CAcreateserial",
      "-days", "2", "-extfile", extensions, "-out", certificate(name),
    ])
  }

  private static func openssl(_ arguments: [String]) throws {
    var pointers = unsafe (["openssl"] + arguments).map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    defer { unsafe pointers.forEach { unsafe free($0) } }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    var process: pid_t = 0
    var status: Int32 = -1
    let spawned = unsafe posix_spawnp(&process, "openssl", &actions, nil, pointers, environ)
    guard spawned == 0,
      unsafe waitpid(process, &status, 0) == process, status == 0
    else { throw HeadraceError(.external, "OPENSSL", "openssl \(arguments.first ?? "") failed with status \(status)") }
  }
}

/// The text of a file.
func text(_ path: String) throws -> Secret {
  guard let file = unsafe fopen(path, "r") else {
    throw HeadraceError(.external, "TEST_FILE", "cannot read", place: path)
  }
  defer { unsafe fclose(file) }
  var bytes = [UInt8](repeating: 0, count: 1 << 16)
  let count = unsafe fread(&bytes, 1, bytes.count, file)
  return Secret(String(decoding: bytes.prefix(count), as: UTF8.self))
}
