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
    guard address.count == 4 || (address.count == 16 && Self.globalUnicast?.contains(address) == true) else {
      return false
    }
    return !Self.refused.contains { $0.contains(address) }
  }

  /// Of an IPv4 address in an IPv6 one the IPv4 address: who could reach it in the one form could in the other.
  ///
  /// Compatible and mapped addresses (RFC 4291), translated ones (RFC 2765), NAT64's well-known prefix (RFC 6052), 6to4
  /// (RFC 3056). Teredo and NAT64's local prefix are refused as they are.
  private static func unwrapped(_ address: [UInt8]) -> [UInt8] {
    guard address.count == 16 else { return address }
    if address[0] == 0x20, address[1] == 0x02 { return Array(address[2..<6]) }
    let last = Array(address[12...])
    switch Array(address[..<12]) {
    case [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0],
      [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]:
      return last
    case [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]: return last[0] == 0 ? address : last
    default: return address
    }
  }

  /// What is not the public internet (IANA's registries of special-purpose addresses), and the address at which one
  /// cloud's machines ask for their secrets although it is a public one.
  private static let refused: [Network] = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "3fff::/20",
  ].compactMap { Network($0) }

  /// Of IPv6 only global unicast is public at all.
  private static let globalUnicast = Network("2000::/3")

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
      // A mapped network is the IPv4 network that it stands for.
      let inner = AddressRule.unwrapped(address)
      let outer = address.count - inner.count
      let isInner = outer > 0 && address[0] == 0 && bits >= outer * 8
      self.address = isInner ? inner : address
      self.bits = isInner ? bits - outer * 8 : bits
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
    guard halves.count <= 2, let head = groups(halves[0], isLast: halves.count == 1) else { return nil }
    if halves.count == 1 { return head.count == 16 ? head : nil }
    guard let tail = groups(halves[1], isLast: true), head.count + tail.count <= 14 else { return nil }
    return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
  }

  /// - Parameter isLast: whether an IPv4 address may stand at the end.
  private static func groups(_ text: String, isLast: Bool) -> [UInt8]? {
    if text.isEmpty { return [] }
    var bytes: [UInt8] = []
    let groups = text.split(separator: ":", omittingEmptySubsequences: false)
    for (index, group) in groups.enumerated() {
      if group.contains(".") {
        guard isLast, index == groups.count - 1, let last = parse(String(group)) else { return nil }
        bytes += last
        continue
      }
      guard (1...4).contains(group.utf8.count), group.allSatisfy(\.isHexDigit), let number = UInt16(group, radix: 16)
      else { return nil }
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
    let isBracketed = name.hasPrefix("[")
    if isBracketed {
      guard let close = name.firstIndex(of: "]") else { return nil }
      let after = name[name.index(after: close)...]
      if !after.isEmpty {
        guard after.hasPrefix(":"), let number = Self.port(after.dropFirst()) else { return nil }
        port = number
      }
      name = String(name[name.index(after: name.startIndex)..<close])
    } else if let colon = name.lastIndex(of: ":") {
      guard let number = Self.port(name[name.index(after: colon)...]) else { return nil }
      port = number
      name = String(name[..<colon])
    }
    // Of names only what a name server is asked for: no escapes, no zones of IPv6, nothing that another reader of the
    // same address could take for something else.
    let isName = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard isBracketed ? AddressRule.parse(name)?.count == 16 : isName, !name.isEmpty else { return nil }
    host = name
  }

  /// Digits alone: `+80` and ` 80` are none.
  private static func port(_ text: Substring) -> Int? {
    guard text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }), let number = Int(text) else {
      return nil
    }
    return (1...65_535).contains(number) ? number : nil
  }
}
