import Core
import Glibc
import Testing

@Suite(.serialized) struct ProcessMemoryTests {
  @Test func `resident memory follows what is touched, and large blocks go back when they are freed`() {
    ProcessMemory.returnLargeBlocks()
    let before = ProcessMemory.residentBytes
    #expect(before > 1 << 20)
    let count = 64 << 20
    let block = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 16)
    unsafe memset(block, 1, count)
    let during = ProcessMemory.residentBytes
    // Other tests of the process may free a little meanwhile.
    #expect(during - before > count * 3 / 4)
    unsafe block.deallocate()
    #expect(during - ProcessMemory.residentBytes > count * 3 / 4)
  }

  @Test func `what was freed and kept is idle`() {
    var blocks: [UnsafeMutableRawPointer] = unsafe []
    for _ in 0..<20_000 { unsafe blocks.append(.allocate(byteCount: 1_000, alignment: 16)) }
    let before = ProcessMemory.idleBytes
    // Every other one, so that none of them joins its neighbour and goes back to the system.
    for index in stride(from: 0, to: 20_000, by: 2) { unsafe blocks[index].deallocate() }
    #expect(ProcessMemory.idleBytes - before > 5_000_000)
    for index in stride(from: 1, to: 20_000, by: 2) { unsafe blocks[index].deallocate() }
  }
}
