import Core
import NIOCore
import Testing

@testable import Broker

@Suite struct FrameAssemblerTests {
  private func frame(_ payload: [UInt8]) -> [UInt8] {
    let length = UInt32(payload.count)
    return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + payload
  }

  /// Every way of cutting the same bytes in two gives the same frames.
  @Test func framesDoNotDependOnWhereTheStreamIsCut() throws {
    let payloads: [[UInt8]] = [[1, 2, 3], [], Array(repeating: 7, count: 300), [9]]
    let stream = payloads.flatMap(frame)
    for cut in 0...stream.count {
      var assembler = FrameAssembler()
      var frames: [[UInt8]] = []
      for part in [stream[..<cut], stream[cut...]] {
        var bytes = ByteBuffer(bytes: part)
        assembler.append(&bytes)
        while let next = try assembler.next(limitBytes: 1_000) { frames.append(Array(next.readableBytesView)) }
      }
      #expect(frames == payloads, "cut at \(cut)")
      #expect(!assembler.isInsideFrame)
    }
  }

  @Test func oneByteAtATime() throws {
    var assembler = FrameAssembler()
    var frames: [[UInt8]] = []
    for byte in frame([5, 6]) + frame([7]) {
      var bytes = ByteBuffer(bytes: [byte])
      assembler.append(&bytes)
      while let next = try assembler.next(limitBytes: 10) { frames.append(Array(next.readableBytesView)) }
    }
    #expect(frames == [[5, 6], [7]])
  }

  @Test func lengthsThatCannotBeAreRefusedBeforeAnyMemoryIsReserved() {
    for (prefix, expected) in [
      ([0xff, 0xff, 0xff, 0xff], FrameAssembler.Failure.negativeLength(-1)),
      ([0x7f, 0xff, 0xff, 0xff], .tooLong(lengthBytes: .max, limitBytes: 100)),
      ([0, 0, 0, 101], .tooLong(lengthBytes: 101, limitBytes: 100)),
    ] as [([UInt8], FrameAssembler.Failure)] {
      var assembler = FrameAssembler()
      var bytes = ByteBuffer(bytes: prefix)
      assembler.append(&bytes)
      #expect(throws: expected) { try assembler.next(limitBytes: 100) }
    }
  }
}

@Suite struct ResponseQueueTests {
  @Test func answersLeaveInTheOrderOfTheirRequests() {
    var queue = ResponseQueue()
    let slots = (0..<1_000).map { _ in queue.reserve() }
    var generator = SplitMix64(seed: 42)
    var sent: [Int] = []
    for index in slots.indices.shuffled(using: &generator) {
      queue.complete(slots[index], with: [ByteBuffer(integer: index)])
      while let parts = queue.popReady() { sent += parts.compactMap { $0.getInteger(at: 0, as: Int.self) } }
    }
    #expect(sent == Array(0..<1_000))
    #expect(queue.inFlight == 0)
  }

  @Test func aSecondAnswerForTheSameRequestIsIgnored() {
    var queue = ResponseQueue()
    let first = queue.reserve()
    let second = queue.reserve()
    queue.complete(first, with: [ByteBuffer(bytes: [1])])
    queue.complete(first, with: [ByteBuffer(bytes: [2])])
    #expect(queue.popReady()?.first.map { Array($0.readableBytesView) } == [1])
    #expect(queue.popReady() == nil)
    queue.complete(first, with: [ByteBuffer(bytes: [3])])
    #expect(queue.popReady() == nil)
    queue.complete(second, with: [])
    #expect(queue.popReady() == [])
  }
}
