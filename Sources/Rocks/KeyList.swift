/// Keys for one lookup, one after the other in one buffer that is used again.
package struct KeyList: ~Copyable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  package init() {}

  package var count: Int { ends.count }

  package mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
  }

  /// Appends a key of two parts: what its group's keys begin with, and the rest.
  package mutating func append(prefix: UInt32, _ rest: RawSpan) {
    unsafe withUnsafeBytes(of: prefix.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    append(rest)
  }

  package mutating func append(_ key: RawSpan) {
    unsafe key.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    ends.append(bytes.count)
  }

  /// Addresses and sizes of all keys, for the length of one call.
  func withPointers<Result>(
    _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int>?) -> Result
  ) -> Result {
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: ends.count) { keys in
        unsafe withUnsafeTemporaryAllocation(of: Int.self, capacity: ends.count) { sizes in
          var start = 0
          for index in ends.indices {
            let key = unsafe bytes.baseAddress.map { unsafe ($0 + start).assumingMemoryBound(to: CChar.self) }
            unsafe keys.initializeElement(at: index, to: key ?? Database.empty)
            unsafe sizes.initializeElement(at: index, to: ends[index] - start)
            start = ends[index]
          }
          return unsafe body(UnsafePointer(keys.baseAddress), UnsafePointer(sizes.baseAddress))
        }
      }
    }
  }
}
