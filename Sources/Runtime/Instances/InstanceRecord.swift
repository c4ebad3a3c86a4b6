internal import Core

/// What a process tells the others of its topology: where it answers, and which tasks it has.
package struct InstanceRecord: Sendable, Equatable {
  package var topology: String
  /// Of its data directory, the same after a restart.
  package var instance: String
  /// HOST:PORT of its HTTP server, as the others reach it.
  package var address: String
  /// The numbers of its tasks, rising.
  package var partitions: [Int32]
  /// Another one after each start of the process; nil of a program that does not say.
  package var life: String?

  package init(topology: String, instance: String, address: String, partitions: [Int32], life: String? = nil) {
    self.topology = topology
    self.instance = instance
    self.address = address
    self.partitions = partitions
    self.life = life
  }

  static func newLife() -> String { String(UInt64.random(in: .min ... .max), radix: 16) }
}

// As a record of the topic: `topology/instance` is the key, so that compaction keeps the newest of each.
extension InstanceRecord {
  var key: String { Self.key(topology: topology, instance: instance) }

  static func key(topology: String, instance: String) -> String { "\(topology)/\(instance)" }

  var encoded: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("topology", topology)
      writer.member("instance", instance)
      writer.member("address", address)
      writer.key("partitions")
      writer.array { writer in for partition in partitions { writer.number(partition) } }
      if let life { writer.member("life", life) }
    }
    return writer.bytes
  }

  /// Nil of what is no such record, or of a newer program.
  init?(json: [UInt8]) {
    guard let document = try? JSONDocument(json, depthMax: 8), let topology = document["topology"]?.string,
      let instance = document["instance"]?.string, let address = document["address"]?.string,
      Self.isAddress(address), let elements = document["partitions"]?.elements
    else { return nil }
    let partitions = elements.compactMap { $0.integer.flatMap { Int32(exactly: $0) } }
    guard partitions.count == elements.count else { return nil }
    self.init(
      topology: topology, instance: instance, address: address, partitions: partitions.sorted(),
      life: document["life"]?.string)
  }

  /// Tokens go there: HOST:PORT, and nothing that could lead a request elsewhere.
  package static func isAddress(_ text: String) -> Bool {
    guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")), UInt16(text[text.utf8.index(after: colon)...]) != nil
    else { return false }
    let host = text[..<colon].utf8
    return !host.isEmpty && host.count <= 255
      && host.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
          UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
          true
        default: false
        }
      }
  }

  /// Whether whoever asks there asks his own machine.
  static func isLoopback(_ address: String) -> Bool {
    guard let colon = address.lastIndex(of: ":") else { return false }
    let host = address[..<colon]
    return host == "localhost" || host == "[::1]" || host.hasPrefix("127.")
  }
}
