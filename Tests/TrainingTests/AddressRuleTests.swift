import Testing

@testable import Training

/// Which addresses webhooks may call: IANA's registries of special-purpose addresses, and every form that hides one.
@Suite struct AddressRuleTests {
  private static let forbidden = [
    // IPv4: this network, private, shared, loopback, link-local, protocol assignments, documentation, 6to4 relays,
    // benchmarking, multicast, reserved, broadcast; both ends of each range.
    "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1",
    "127.255.255.254", "169.254.0.1", "169.254.169.254", "169.254.255.255", "172.16.0.0", "172.31.255.255",
    "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0",
    "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "168.63.129.16",
    // IPv6: unspecified, loopback, discard only, local NAT64, protocol assignments with Teredo, ORCHID and
    // benchmarking, documentation, segment routing, unique local, link-local, site-local, multicast.
    "::", "::1", "100::1", "100:0:0:1::1", "64:ff9b:1::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1", "5f00::1", "fc00::1",
    "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "4000::1",
    // One in the other: mapped, compatible, translated, NAT64, 6to4; in both ways of writing.
    "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:a9fe:a9fe", "::127.0.0.1", "::7f00:1", "::ffff:0:10.0.0.1",
    "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1", "2002:a00:1::", "2002:c0a8:101::1",
  ]
  private static let open = [
    "8.8.8.8", "1.0.0.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
    "128.0.0.0", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.255.255", "192.169.0.0",
    "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001:800::200e",
    "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
  ]

  @Test func `Private and special addresses are refused in every form`() throws {
    for text in Self.forbidden {
      let address = try #require(AddressRule.parse(text), "\(text)")
      #expect(!AddressRule().allows(address), "\(text)")
    }
    for text in Self.open {
      let address = try #require(AddressRule.parse(text), "\(text)")
      #expect(AddressRule().allows(address), "\(text)")
    }
    #expect(!AddressRule().allows([]))
    #expect(!AddressRule().allows([8, 8, 8]))
  }

  @Test func `A network that is allowed is allowed in every form, and nothing beside it`() throws {
    let rule = try #require(AddressRule(allowing: "127.0.0.1, 10.0.0.0/8,fd00::/8,::ffff:172.16.0.0/108"))
    for text in [
      "127.0.0.1", "::ffff:127.0.0.1", "10.1.2.3", "64:ff9b::10.1.2.3", "fd00::7", "172.16.0.1", "172.31.0.1",
    ] {
      let address = try #require(AddressRule.parse(text))
      #expect(rule.allows(address), "\(text)")
    }
    for text in ["127.0.0.2", "11.0.0.0.1", "fe00::7", "::1", "192.168.0.1", "172.32.0.1.1"] {
      if let address = AddressRule.parse(text) { #expect(!rule.allows(address), "\(text)") }
    }
    #expect(AddressRule(allowing: "") != nil)
    for text in ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0", "localhost", "::/129", "1.2.3.4/8/8", "10.0.0.0/+8x"] {
      #expect(AddressRule(allowing: text) == nil, "\(text)")
    }
  }

  @Test func `Only one way of writing an address is one`() {
    for text in [
      "0x7f.0.0.1", "0177.0.0.1", "127.1", "2130706433", "127.0.0.01", "256.1.1.1", "1.2.3", "1.2.3.4.5", "+1.2.3.4",
      "",
      "fe80::1%eth0", "::+1", "::-1", "1::2::3", ":1", "1:", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::",
      "1.2.3.4::", "::1.2.3.4:1", "::1.2.3", "g::", "[::1]", "1:2:3:4:5:6:7::8",
    ] { #expect(AddressRule.parse(text) == nil, "\(text)") }
    #expect(AddressRule.parse("1:2:3:4:5:6:7:8")?.count == 16)
    #expect(AddressRule.parse("::") == [UInt8](repeating: 0, count: 16))
    #expect(AddressRule.parse("::1.2.3.4")?.suffix(4) == [1, 2, 3, 4])
  }

  @Test func `An address of a webhook has nothing in it that two readers read in two ways`() {
    for text in [
      "ftp://example.org/", "//example.org/", "example.org", "http:/example.org", "http://", "http:///path",
      "http://:80/",
      "http://user@example.org/", "http://user:secret@example.org/", "http://example.org@127.0.0.1/",
      "http://example.org\\@127.0.0.1/", "http://example.org:0/", "http://example.org:65536/",
      "http://example.org:+80/",
      "http://example.org:/", "http://example.org:80:80/", "http://exa mple.org/", "http://example.org/\u{e4}",
      "http://\u{2460}27.0.0.1/", "http://%31%32%37.0.0.1/", "http://[::1", "http://[::1]x/",
      "http://[fe80::1%25eth0]/",
      "http://[fe80::1%eth0]/", "http://[127.0.0.1]/", "http://[]/", "http://a\tb/", "http://a\nb/",
      "javascript:alert(1)",
      "file:///etc/passwd", "gopher://example.org/",
    ] { #expect(WebhookAddress(text) == nil, "\(text)") }
    #expect(WebhookAddress("https://Example.org:8443/a?b#c")?.port == 8_443)
    #expect(WebhookAddress("https://example.org#@127.0.0.1/")?.host == "example.org")
    #expect(WebhookAddress("https://example.org?@127.0.0.1/")?.host == "example.org")
    #expect(WebhookAddress("http://[2606:4700::1111]:99/")?.host == "2606:4700::1111")
    #expect(WebhookAddress("http://[2606:4700::1111]:99/")?.port == 99)
    #expect(WebhookAddress("HTTPS://example.org")?.port == 443)
  }
}
