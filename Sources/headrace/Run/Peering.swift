internal import ArgumentParser
internal import Core
internal import Glibc
internal import Runtime
internal import Serving

/// How the workers of a topology reach one another: rows of a key are asked of the worker that has them.
struct Peering {
  /// HOST:PORT that others are told; nil: where HTTP is served.
  var address: String?
  var reads = PeerReads.Configuration()

  init() {}

  /// - Parameter address: as `--advertise` has it.
  init(address: String?) throws {
    if let address {
      _ = try HostAndPort.parse(address, flag: "--advertise")
      guard InstanceRecord.isAddress(address) else {
        throw ValidationError("--advertise \(address): \(Self.wanted)")
      }
    }
    self.address = address
    reads.token = Environment["TOKEN"]
  }

  /// What others are told.
  ///
  /// - Parameters:
  ///   - host: that HTTP is served on; of all addresses of the machine its name is told.
  ///   - port: that was found free, or was given.
  /// - Throws: `ADVERTISE_INVALID` for an address that no other worker would take.
  func advertised(host: String, port: Int) throws(HeadraceError) -> String {
    if let address { return address }
    let name = host == "0.0.0.0" || host == "::" ? Self.machineName ?? host : host
    let address = name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)"
    guard InstanceRecord.isAddress(address) else {
      throw HeadraceError(
        .user, "ADVERTISE_INVALID", "other workers cannot be told this address: \(Self.wanted)", place: address,
        remedy: "--advertise HOST:PORT names one by which they reach this worker")
    }
    return address
  }

  private static let wanted =
    "a host is an IP address, or a name of ASCII letters, digits, dots, hyphens and underscores"

  private static var machineName: String? {
    var bytes = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return nil }
    let name = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return name.isEmpty ? nil : name
  }
}
