internal import CRocksDB
package import Core

/// Entries that may go when files are compacted: those of a group that are older than the group's horizon.
///
/// The group is the big-endian number in the first four bytes of a key, the time a little-endian `Int64` in the value.
/// A horizon only ever says what nobody would look at any more: until when the disk keeps it is up to the compaction.
@safe
package final class Expiry: @unchecked Sendable {
  // Unchecked: horizons are atomics, everything else is constant.
  private let handle: OpaquePointer

  /// - Parameters:
  ///   - timeOffset: where in a value its time stands.
  ///   - groupCapacity: groups from this one on never expire.
  package init(timeOffset: Int, groupCapacity: Int) throws(HeadraceError) {
    guard
      let handle = unsafe headrace_expiry_create(
        Int(clamping: max(timeOffset, 0)), UInt32(clamping: groupCapacity))
    else {
      throw HeadraceError(
        .external, "OUT_OF_MEMORY", "no memory for the horizons of \(groupCapacity) groups", retry: .sameCall)
    }
    unsafe self.handle = unsafe handle
  }

  deinit { unsafe headrace_expiry_destroy(handle) }

  /// Entries of `group` with a time below `horizon` may go from now on.
  package func setHorizon(_ horizon: Int64, ofGroup group: UInt32) {
    unsafe headrace_expiry_set_horizon(handle, group, horizon)
  }

  var filter: OpaquePointer { unsafe headrace_expiry_filter(handle) }
}
