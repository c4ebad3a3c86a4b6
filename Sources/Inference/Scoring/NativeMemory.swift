/// Tables for kernels: plain numbers at addresses that do not move, freed together.
///
/// Filled by one owner while it is built, and only read from then on.
@safe
struct NativeMemory: ~Copyable {
  private var blocks: [UnsafeMutableRawPointer] = unsafe []
  private(set) var sizeBytes = 0

  static let alignment = 64

  deinit { for index in unsafe blocks.indices { unsafe blocks[index].deallocate() } }

  /// Zeroed bytes, aligned to a cache line.
  mutating func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
    let size = max(byteCount, Self.alignment)
    let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: Self.alignment)
    unsafe block.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    unsafe blocks.append(block)
    sizeBytes += size
    return unsafe block
  }

  mutating func copy<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafePointer<Element> {
    let block = unsafe allocate(byteCount: elements.count * MemoryLayout<Element>.stride)
    let start = unsafe block.bindMemory(to: Element.self, capacity: elements.count)
    for index in elements.indices { unsafe start[index] = elements[index] }
    return unsafe UnsafePointer(start)
  }
}
