import Testing

@testable import Core

@Suite struct TextTests {
  @Test func `Nothing in a text is markup`() {
    #expect(EscapedText.html(#"<a href="x" title='y'>&é"#) == "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;é")
    // A mark that joins the character in front of it hides nothing.
    #expect(EscapedText.html("<\u{301}b>") == "&lt;\u{301}b&gt;")
  }

  @Test func `A segment of a path stays one`() {
    #expect(EscapedText.url("a b/ü?#%") == "a%20b%2F%C3%BC%3F%23%25")
    #expect(EscapedText.url("Az09-._~") == "Az09-._~")
    #expect(EscapedText.url("..") == "%2E" && EscapedText.url(".") == "%2E" && EscapedText.url("..a") == "..a")
  }

  @Test func `Numbers have sixteen digits`() {
    #expect(UInt64(0).hexadecimal == "0000000000000000")
    #expect(UInt64(0xabc).hexadecimal == "0000000000000abc")
    #expect(UInt64.max.hexadecimal == "ffffffffffffffff")
  }
}
