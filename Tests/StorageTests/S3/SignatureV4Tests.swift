import Testing

@testable import Storage

/// The examples of Amazon's documentation, and of its signature test suite.
@Suite struct SignatureV4Tests {
  private static let examples = SignatureV4(
    credentials: S3Credentials(
      accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    region: "us-east-1")
  /// 2013-05-24T00:00:00Z
  private static let date = AmazonDate(milliseconds: 1_369_353_600_000)
  private static let emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  private func signature(_ authorization: String) -> Substring { authorization.suffix(64) }

  private func headers(_ others: [(name: String, value: String)], hash: String) -> [(name: String, value: String)] {
    others + [
      ("host", "examplebucket.s3.amazonaws.com"), ("x-amz-content-sha256", hash), ("x-amz-date", Self.date.text),
    ]
  }

  @Test func `dates are written without separators`() {
    #expect(Self.date.text == "20130524T000000Z")
    #expect(Self.date.day == "20130524")
    #expect(AmazonDate(milliseconds: 1_440_938_160_999).text == "20150830T123600Z")
  }

  @Test func `S3 example: GET of a range`() {
    let value = Self.examples.authorization(
      .init(
        method: "GET", path: "/test.txt", query: [], headers: headers([("range", "bytes=0-9")], hash: Self.emptyHash),
        payloadHash: Self.emptyHash), date: Self.date)
    #expect(signature(value) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    #expect(
      value.hasPrefix(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
          + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature="))
  }

  @Test func `S3 example: PUT`() {
    let hash = ContentHash.sha256(Array("Welcome to Amazon S3.".utf8))
    #expect(hash == "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
    let value = Self.examples.authorization(
      .init(
        method: "PUT", path: "/" + PercentEncoding.encode("test$file.text", keepsSlashes: true), query: [],
        headers: headers(
          [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")], hash: hash),
        payloadHash: hash), date: Self.date)
    #expect(signature(value) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
  }

  @Test func `S3 example: a query without a value`() {
    let value = Self.examples.authorization(
      .init(
        method: "GET", path: "/", query: [("lifecycle", "")], headers: headers([], hash: Self.emptyHash),
        payloadHash: Self.emptyHash), date: Self.date)
    #expect(signature(value) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
  }

  @Test func `S3 example: a listing`() {
    let value = Self.examples.authorization(
      .init(
        method: "GET", path: "/", query: [("prefix", "J"), ("max-keys", "2")],
        headers: headers([], hash: Self.emptyHash), payloadHash: Self.emptyHash), date: Self.date)
    #expect(signature(value) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
  }

  private static let suite = SignatureV4(
    credentials: S3Credentials(
      accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    region: "us-east-1", service: "service")

  @Test(arguments: [
    ("GET", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    ("POST", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ("GET", "Param1=value1", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
  ])
  func `signature test suite: vanilla requests`(method: String, query: String, expected: String) {
    let pairs = query.split(separator: "&").map { pair in
      let parts = pair.split(separator: "=").map(String.init)
      return (name: parts[0], value: parts[1])
    }
    let date = AmazonDate(milliseconds: 1_440_938_160_000)
    let value = Self.suite.authorization(
      .init(
        method: method, path: "/", query: pairs,
        headers: [("host", "example.amazonaws.com"), ("x-amz-date", date.text)], payloadHash: Self.emptyHash),
      date: date)
    #expect(signature(value) == expected)
  }
}
