import Testing

@testable import Monitoring

@Suite struct RefusedSourceTests {
  @Test func `the place of a dead letter's event is read from its header`() {
    let event = RefusedSource.event("payments/7@42", topic: "payments")
    #expect(event == .init(partition: 7, offset: 42))
    for text in ["other/7@42", "payments/7", "payments@42", "payments/x@42", "payments/7@-1", "", "/@"] {
      #expect(RefusedSource.event(text, topic: "payments") == nil, "\(text)")
    }
  }
}
