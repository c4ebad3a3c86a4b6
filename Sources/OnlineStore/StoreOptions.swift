package import Rocks

/// How a task's store is opened.
package struct StoreOptions: Sendable {
  /// Rows in memory. Rows that are not yet on the disk stay above it; it is up to the owner to checkpoint in time.
  package var memoryBudgetBytes = 256 << 20
  /// Ids in memory of each source that is deduplicated.
  package var dedupeBudgetBytes = 64 << 20
  /// Shared by the stores of the process; nil gives each database one of its own (8 MiB).
  package var blockCache: BlockCache?
  package var reserve: DiskReserve?
  package var backgroundThreads: Int32 = 2
  package var writeBufferBytes = 32 << 20

  package init() {}
}
