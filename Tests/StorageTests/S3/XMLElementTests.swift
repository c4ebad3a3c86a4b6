import Core
import Testing

@testable import Storage

@Suite struct XMLElementTests {
  private func parse(_ text: String) throws -> XMLElement { try XMLElement(Array(text.utf8)) }

  @Test func `reads what S3 answers`() throws {
    let page = try parse(
      """
      <?xml version="1.0" encoding="UTF-8"?>
      <!-- a comment -->
      <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/" a='x>y'>
        <IsTruncated>false</IsTruncated><Prefix/>
        <Contents><Key>a&amp;b&#x2F;&lt;&#233;</Key><Size>12</Size></Contents><Contents><Key>c</Key></Contents>
      </ListBucketResult>
      """)
    #expect(page.name == "ListBucketResult")
    #expect(page["IsTruncated"] == "false")
    #expect(page["Prefix"] == "")
    #expect(page.children("Contents").map { $0["Key"] } == ["a&b/<é", "c"])
    #expect(page["Missing"] == nil)
  }

  @Test(arguments: [
    "", "<", "<a", "<a>", "<a></b>", "<a><b></a></b>", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "<a>&b;</a>",
    "<a>&#xZZ;</a>", "<a>&#1114112;</a>", "<a b></a>", "<a b=c></a>", "<a b=\"c></a>", "text", "<a>&",
    String(repeating: "<a>", count: 1_000),
  ])
  func `refuses everything else`(text: String) {
    #expect(throws: XMLElement.Failure.self) { try parse(text) }
  }

  @Test func `damaged documents are errors or elements, never a trap`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix64(seed: seed)
    let whole = Array("<?xml v?><Error a=\"b\"><Code>No&amp;Key</Code><!--x--><M>&#65;</M></Error>".utf8)
    for _ in 0..<5_000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.removeSubrange(at...)
        default: bytes.insert(contentsOf: "<&>/\"".utf8, at: at)
        }
        if bytes.isEmpty { break }
      }
      _ = try? XMLElement(bytes)
    }
  }
}

@Suite struct S3ConfigurationTests {
  private static let keys = ["AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "canary"]

  @Test func `reads a URL and the usual variables`() throws {
    var environment = Self.keys
    environment["AWS_REGION"] = "eu-central-1"
    environment["AWS_SESSION_TOKEN"] = "token"
    let plain = try S3Configuration(url: "s3://bucket/some/where/", environment: environment)
    #expect(plain.bucket == "bucket" && plain.prefix == "some/where" && plain.region == "eu-central-1")
    #expect(plain.endpoint.authority == "s3.eu-central-1.amazonaws.com" && !plain.isPathStyle)
    #expect(plain.credentials.sessionToken == "token")
    environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:5000/"
    let local = try S3Configuration(url: "s3://bucket", environment: environment)
    #expect(local.endpoint == .init(isEncrypted: false, authority: "127.0.0.1:5000") && local.isPathStyle)
    environment["AWS_VIRTUAL_HOSTED_STYLE_REQUEST"] = "true"
    #expect(try !S3Configuration(url: "s3://bucket", environment: environment).isPathStyle)
    #expect(try S3Configuration(url: "s3://dotted.bucket", environment: Self.keys).isPathStyle)
  }

  @Test func `secrets do not show`() throws {
    let configuration = try S3Configuration(url: "s3://bucket", environment: Self.keys)
    #expect(!"\(configuration)".contains("canary"))
  }

  @Test(arguments: [
    "", "bucket", "s3://", "s3://ab", "s3://UPPER", "s3://bucket/../x", "s3://bucket/a//b", "s3://a..b",
  ])
  func `refuses other URLs`(url: String) {
    #expect(throws: HeadraceError.self) { try S3Configuration(url: url, environment: Self.keys) }
  }

  @Test(arguments: [
    "ftp://host", "http://", "http://host/path", "http://user@host", "http://example.org", "https://a b",
  ])
  func `refuses endpoints that are none, or not encrypted`(endpoint: String) {
    var environment = Self.keys
    environment["AWS_ENDPOINT_URL"] = endpoint
    #expect(throws: HeadraceError.self) { try S3Configuration(url: "s3://bucket", environment: environment) }
  }

  @Test func `asks for credentials by name`() {
    let error = #expect(throws: HeadraceError.self) { try S3Configuration(url: "s3://bucket", environment: [:]) }
    #expect(error?.remedy?.contains("AWS_ACCESS_KEY_ID") == true)
  }
}
