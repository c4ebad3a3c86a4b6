internal import Core
internal import Storage

/// What an S3 service answers: listings and refusals. Names that come out of a listing stay inside of the store.
struct S3Target: FuzzTarget {
  static let name = "s3"

  func execute(_ input: [UInt8]) throws(Violation) -> Signature {
    var signature = Signature()
    do throws(XMLElement.Failure) {
      let element = try XMLElement(input)
      signature.add(sizeClassOf: element.children.count)
      signature.add(sizeClassOf: element.text.utf8.count)
    } catch {
      let (kind, offset) =
        switch error {
        case .malformed(let offset): (0, offset)
        case .tooDeep(let offset): (1, offset)
        }
      guard (0...input.count).contains(offset) else { throw Violation("an error at byte \(offset) of \(input.count)") }
      signature.add(kind)
      signature.add(sizeClassOf: offset)
    }
    if let page = S3ListingPage(input, start: Self.start) {
      signature.add(sizeClassOf: page.entries.count)
      signature.add(page.lastKey == nil ? 0 : 1)
      for entry in page.entries {
        guard entry.sizeBytes >= 0, !entry.name.text.split(separator: "/").contains("..") else {
          throw Violation("an entry \(entry)")
        }
      }
    }
    let failure = S3Failure(status: 500, body: input)
    let error = failure.error("s3://bucket/x", isChange: true)
    guard error.code.hasPrefix("S3_"), error.message.utf8.count < 1 << 17 else { throw Violation("\(error.code)") }
    signature.add(error.code)
    return signature
  }

  private static let start = "tables/"

  func seeds() -> [Seed] {
    [
      Seed(name: "listing", bytes: Array(Self.listing.utf8)), Seed(name: "error", bytes: Array(Self.error.utf8)),
      Seed(name: "upload", bytes: Array(Self.upload.utf8)),
    ]
  }

  private static let listing = """
    <?xml version="1.0" encoding="UTF-8"?>
    <!-- a comment -->
    <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix>tables/</Prefix>
    <KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated>
    <NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>
    <Contents><Key>tables/a &amp; b/part-1.parquet</Key><LastModified>2013-01-31T23:59:59.000Z</LastModified>
    <ETag>&quot;70ee1738b6b21e2c8a43f3a5ab0eee71&quot;</ETag><Size>434234</Size></Contents>
    <Contents><Key>tables/&#x66;&#252;/_delta_log/00000000000000000007.json</Key>
    <LastModified>2013-02-01T00:00:00Z</LastModified><Size>0</Size><Owner/></Contents>
    </ListBucketResult>
    """

  private static let error = """
    <Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Resource>/bucket/x</Resource>
    <RequestId>4442587FB7D0A2F9</RequestId></Error>
    """

  private static let upload = """
    <InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>VXBsb2FkIElE</UploadId>
    </InitiateMultipartUploadResult>
    """
}
