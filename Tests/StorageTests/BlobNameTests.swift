import Core
import Testing

@testable import Storage

@Suite struct BlobNameTests {
  @Test(arguments: ["a", "a/b", "events/departed/part-1.parquet", "d=2013-01-01/é", "..a/b..", ".hidden", "a b%20c"])
  func `takes plain relative names`(text: String) throws {
    #expect(try BlobName(text).text == text)
  }

  @Test(arguments: [
    "", "/", "/etc/passwd", "a/", "a//b", "..", "../a", "a/../b", ".", "a/./b", "a\u{7f}b", "a\nb",
    String(repeating: "a", count: 256), String(repeating: "a/", count: 600) + "a",
  ])
  func `refuses names that lead elsewhere`(text: String) {
    #expect(throws: HeadraceError.self) { try BlobName(text) }
  }

  @Test func `compares byte by byte, as S3 does`() throws {
    let composed = try BlobName("caf\u{e9}")
    let decomposed = try BlobName("cafe\u{301}")
    #expect(composed != decomposed)
    #expect(try BlobName("a-b") < BlobName("a/b"))
    #expect(try BlobName("a/b").isInside(BlobName("a")))
    #expect(try !BlobName("ab/c").isInside(BlobName("a")))
    #expect(try BlobName("a/b/c").relative(to: BlobName("a")) == "b/c")
  }
}
