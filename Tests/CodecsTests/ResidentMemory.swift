#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How many bytes of a page-aligned mapping are in physical memory.
func residentBytes(from base: UnsafeRawPointer, byteCount: Int) -> Int {
  let pageBytes = sysconf(Int32(_SC_PAGESIZE))
  var pages = [UInt8](repeating: 0, count: (byteCount + pageBytes - 1) / pageBytes)
  guard unsafe mincore(UnsafeMutableRawPointer(mutating: base), byteCount, &pages) == 0 else { return .max }
  return pages.count { $0 & 1 == 1 } * pageBytes
}
