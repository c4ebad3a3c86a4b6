internal import Core

/// Which addresses webhooks may call. A topology names an address, and whoever can write one must not get at what only
/// this machine can reach: metadata services, neighbours, itself.
package struct AddressRule: Sendable, Equatable {
  /// Networks that are allowed although they are not public.
  private var allowed: [Network] = []

  /// Public addresses only.
  package init() {}

  /// - Parameter text: networks and addresses, separated by commas: `127.0.0.1,10.0.0.0/8,::1`.
  /// - Returns: nil when one of them is none.
  package init?(allowing text: String) {
    for part in text.split(separator: ",") {
      guard let network = Network(String(part.filter { $0 != " " })) else { return nil }
      allowed.append(network)
    }
  }

  /// Whether an address may be connected to.
  ///
  /// - Parameter address: 4 or 16 bytes, in the order of the network.
  package func allows(_ address: [UInt8]) -> Bool {
    let address = Self.unwrapped(address)
    if allowed.contains(where: { $0.contains(address) }) { return true }
    guard address.count == 4 || address.count == 16 else { return false }
    return !Self.refused.contains { $0.contains(address) }
  }

  /// Of an IPv4 address in an IPv6 one (mapped, 6to4's and NAT64's well-known prefix) the IPv4 address: who could reach
  /// it in the one form could in the other.
  private static func unwrapped(_ address: [UInt8]) -> [UInt8] {
    guard address.count == 16 else { return address }
    let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
    let nat64: [UInt8] = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]
    if Array(address[..<12]) == mapped || Array(address[..<12]) == nat64 { return Array(address[12...]) }
    if address[0] == 0x20, address[1] == 0x02 { return Array(address[2..<6]) }
    return address
  }

  /// What is not the public internet (IANA's registries of special-purpose addresses).
  private static let refused: [Network] = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "100::/64", "2001:db8::/32", "fc00::/7", "fe80::/10",
    "fec0::/10", "ff00::/8",
  ].compactMap { Network($0) }

  /// `10.0.0.0/8`, `::1`.
  struct Network: Sendable, Equatable {
    var address: [UInt8]
    var bits: Int

    init?(_ text: String) {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      guard let address = AddressRule.parse(String(parts[0])), parts.count <= 2 else { return nil }
      var bits = address.count * 8
      if parts.count == 2 {
        guard let given = Int(parts[1]), (0...bits).contains(given) else { return nil }
        bits = given
      }
      self.address = address
      self.bits = bits
    }

    func contains(_ other: [UInt8]) -> Bool {
      guard other.count == address.count else { return false }
      for index in address.indices {
        let left = bits - index * 8
        guard left > 0 else { return true }
        let mask: UInt8 = left >= 8 ? 0xff : ~(0xff >> UInt8(left))
        if address[index] & mask != other[index] & mask { return false }
      }
      return true
    }
  }

  /// An address as it is written; nil for a name. Only the common forms: `0x7f.1` and the like are refused.
  package static func parse(_ text: String) -> [UInt8]? {
    if text.contains(":") { return parseIPv6(text) }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var address: [UInt8] = []
    for part in parts {
      guard let byte = UInt8(part), String(byte) == part else { return nil }
      address.append(byte)
    }
    return address
  }

  private static func parseIPv6(_ text: String) -> [UInt8]? {
    let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    guard halves.count <= 2, let head = groups(halves[0]) else { return nil }
    if halves.count == 1 { return head.count == 16 ? head : nil }
    guard let tail = groups(halves[1]), head.count + tail.count <= 14 else { return nil }
    return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
  }

  private static func groups(_ text: String) -> [UInt8]? {
    if text.isEmpty { return [] }
    var bytes: [UInt8] = []
    for group in text.split(separator: ":", omittingEmptySubsequences: false) {
      if group.contains("."), let last = parse(String(group)) {
        bytes += last
        continue
      }
      guard !group.isEmpty, group.utf8.count <= 4, let number = UInt16(group, radix: 16) else { return nil }
      bytes += [UInt8(number >> 8), UInt8(number & 0xff)]
    }
    return bytes
  }
}

/// An address of a webhook, taken apart: nothing but what is checked is used.
package struct WebhookAddress: Sendable, Equatable {
  package var scheme: String
  package var host: String
  package var port: Int

  /// - Returns: nil for anything but `http://` and `https://`, and for names and passwords in it.
  package init?(_ url: String) {
    guard let colon = url.firstRange(of: "://") else { return nil }
    scheme = url[..<colon.lowerBound].lowercased()
    guard scheme == "https" || scheme == "http" else { return nil }
    let rest = url[colon.upperBound...]
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard !authority.contains("@"), !authority.contains("\\"), !url.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7f })
    else { return nil }
    var name = String(authority)
    port = scheme == "https" ? 443 : 80
    if name.hasPrefix("[") {
      guard let close = name.firstIndex(of: "]") else { return nil }
      let after = name[name.index(after: close)...]
      if !after.isEmpty {
        guard after.hasPrefix(":"), let number = Int(after.dropFirst()), (1...65_535).contains(number) else {
          return nil
        }
        port = number
      }
      name = String(name[name.index(after: name.startIndex)..<close])
    } else if let colon = name.lastIndex(of: ":") {
      guard let number = Int(name[name.index(after: colon)...]), (1...65_535).contains(number) else { return nil }
      port = number
      name = String(name[..<colon])
    }
    guard !name.isEmpty else { return nil }
    host = name
  }
}
