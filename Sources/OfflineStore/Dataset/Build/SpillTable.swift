package import Columns
package import Core
internal import Glibc
internal import Synchronization

/// How many bytes may wait in memory, over all tables of one build.
package final class SpillBudget: Sendable {
  private let limitBytes: Int
  private let usedBytes = Atomic(0)
  private let spilled = Atomic(0)

  package init(limitBytes: Int) { self.limitBytes = limitBytes }

  /// What went to disk so far.
  package var spilledBytes: Int { spilled.load(ordering: .relaxed) }

  /// Takes bytes that are there already.
  ///
  /// - Returns: false when that is more than there may be: somebody has to write some of it out.
  func take(_ bytes: Int) -> Bool { usedBytes.add(bytes, ordering: .relaxed).newValue <= limitBytes }
  func give(_ bytes: Int) { usedBytes.subtract(bytes, ordering: .relaxed) }
  func didSpill(_ bytes: Int) { spilled.add(bytes, ordering: .relaxed) }
}

/// Rows in numbered partitions: in memory while the budget lasts, in a file without a name behind that, which the
/// system removes however the process ends.
///
/// Several threads append, each to its own shard; partitions are read when nobody appends any more. The order of rows
/// within a partition is that of one thread's calls; between threads there is none.
package final class SpillTable: Sendable {
  private let types: [ColumnType]
  private let budget: SpillBudget
  private let shards: [Shard]

  package init(_ types: [ColumnType], partitionCount: Int, shardCount: Int = 1, budget: SpillBudget) {
    self.types = types
    self.budget = budget
    shards = (0..<max(shardCount, 1)).map { _ in Shard(types, partitionCount: partitionCount, budget: budget) }
  }

  /// Appends rows of a batch.
  ///
  /// - Parameter partitions: of each row of the batch; negative: left out. A partition that is not there yet is made.
  package func append(
    _ batch: borrowing ColumnBatch, partitions: borrowing [Int], shard: Int = 0
  ) throws(HeadraceError) {
    try shards[shard % shards.count].append(batch, partitions: partitions)
  }

  /// Appends a whole batch to one partition.
  package func append(_ batch: borrowing ColumnBatch, to partition: Int, shard: Int = 0) throws(HeadraceError) {
    try shards[shard % shards.count].append(batch, to: partition)
  }

  /// All rows of a partition.
  package func read(_ partition: Int) throws(HeadraceError) -> ColumnBatch {
    var rows = ColumnBatch(types)
    for shard in shards { try shard.read(partition, into: &rows) }
    return rows
  }

  /// Gives up what a partition holds, once it is not needed any more.
  package func release(_ partition: Int) {
    for shard in shards { shard.release(partition) }
  }
}

extension SpillTable {
  /// What one thread appends to.
  private final class Shard: Sendable {
    private let types: [ColumnType]
    private let budget: SpillBudget
    private let state: Mutex<State>

    private struct State {
      var partitions: [Partition]
      var bufferedBytes = 0
      var file: SpillFile?
    }

    private struct Partition {
      /// nil while nothing waits: most partitions of a small build stay empty.
      var rows: ColumnBatch?
      var blocks: [(offset: Int, byteCount: Int)] = []
    }

    init(_ types: [ColumnType], partitionCount: Int, budget: SpillBudget) {
      self.types = types
      self.budget = budget
      state = Mutex(State(partitions: [Partition](repeating: Partition(), count: partitionCount)))
    }

    func append(_ batch: borrowing ColumnBatch, partitions: borrowing [Int]) throws(HeadraceError) {
      let columns = batch.columns
      let partitions = copy partitions
      var chosen: [[Int]] = []
      for (row, partition) in partitions.enumerated() where partition >= 0 {
        while chosen.count <= partition { chosen.append([]) }
        chosen[partition].append(row)
      }
      try change { (state) throws(HeadraceError) in
        for (partition, rows) in chosen.enumerated() where !rows.isEmpty {
          Self.makeRoom(&state, partition)
          var target = state.partitions[partition].rows.take() ?? ColumnBatch(types)
          for index in target.columns.indices { target.columns[index].append(rows: rows, of: columns[index]) }
          target.rowCount += rows.count
          state.partitions[partition].rows = target
          state.bufferedBytes += columns.reduce(0) { $0 + $1.bytes(ofRows: rows.count) }
        }
      }
    }

    func append(_ batch: borrowing ColumnBatch, to partition: Int) throws(HeadraceError) {
      let (columns, count) = (batch.columns, batch.rowCount)
      try change { (state) throws(HeadraceError) in
        Self.makeRoom(&state, partition)
        var target = state.partitions[partition].rows.take() ?? ColumnBatch(types)
        for index in target.columns.indices { target.columns[index].append(0..<count, of: columns[index]) }
        target.rowCount += count
        state.partitions[partition].rows = target
        state.bufferedBytes += columns.reduce(0) { $0 + $1.bytes(ofRows: count) }
      }
    }

    private static func makeRoom(_ state: inout State, _ partition: Int) {
      while state.partitions.count <= partition { state.partitions.append(Partition()) }
    }

    private func change(_ body: (inout State) throws(HeadraceError) -> Void) throws(HeadraceError) {
      try state.withLock { (state) throws(HeadraceError) in
        let before = state.bufferedBytes
        try body(&state)
        if !budget.take(state.bufferedBytes - before) { try spill(&state) }
      }
    }

    /// Writes out what waits.
    private func spill(_ state: inout State) throws(HeadraceError) {
      if state.file == nil { state.file = try SpillFile() }
      guard let file = state.file else { return }
      for partition in state.partitions.indices {
        guard let rows = state.partitions[partition].rows.take() else { continue }
        var writer = ByteWriter()
        SpoolBlock.write(rows, to: &writer)
        let offset = try file.append(writer.bytes)
        state.partitions[partition].blocks.append((offset, writer.bytes.count))
        budget.didSpill(writer.bytes.count)
      }
      budget.give(state.bufferedBytes)
      state.bufferedBytes = 0
    }

    func read(_ partition: Int, into rows: inout ColumnBatch) throws(HeadraceError) {
      let (found, file) = state.withLock { state in
        (partition < state.partitions.count ? state.partitions[partition] : Partition(), state.file)
      }
      var block = ColumnBatch(types)
      for (offset, byteCount) in found.blocks {
        guard let bytes = try file?.read(offset, byteCount) else { continue }
        try SpoolBlock.read(unsafe bytes.span.bytes, place: "temporary file", into: &block)
        rows.append(block)
      }
      if let waiting = found.rows { rows.append(waiting) }
    }

    func release(_ partition: Int) {
      state.withLock { state in
        guard partition < state.partitions.count, let rows = state.partitions[partition].rows.take() else { return }
        let bytes = min(rows.columns.reduce(0) { $0 + $1.bytes(ofRows: rows.rowCount) }, state.bufferedBytes)
        state.bufferedBytes -= bytes
        budget.give(bytes)
      }
    }
  }
}

/// A file that has lost its name as soon as it has it.
private final class SpillFile: Sendable {
  private let descriptor: Int32
  private let end = Mutex(0)

  init() throws(HeadraceError) {
    let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/var/tmp"
    var path = Array("\(folder)/headrace-XXXXXX".utf8CString)
    descriptor = unsafe mkstemp(&path)
    guard descriptor >= 0 else { throw Self.failure("a temporary file was refused", folder) }
    unsafe unlink(&path)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  deinit { close(descriptor) }

  func append(_ bytes: [UInt8]) throws(HeadraceError) -> Int {
    try end.withLock { (end) throws(HeadraceError) in
      let start = end
      var written = 0
      while written < bytes.count {
        let count = unsafe bytes.withUnsafeBytes { buffer in
          unsafe pwrite(
            descriptor, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written, start + written)
        }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw Self.failure("a temporary file takes no more", "temporary file") }
        written += count
      }
      end += bytes.count
      return start
    }
  }

  func read(_ offset: Int, _ byteCount: Int) throws(HeadraceError) -> [UInt8] {
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, filled in
      while filled < byteCount {
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
        let got = unsafe pread(descriptor, target.baseAddress, byteCount - filled, offset + filled)
        if got < 0, errno == EINTR { continue }
        guard got > 0 else { return }
        filled += got
      }
    }
    guard bytes.count == byteCount else { throw Self.failure("a temporary file is not to be read", "temporary file") }
    return bytes
  }

  private static func failure(_ what: String, _ place: String) -> HeadraceError {
    let words = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? ""
    return HeadraceError(
      .external, "SPILL_FAILED", "\(what): \(words)", place: place,
      remedy: "make room there, or name another folder by TMPDIR; a larger --memory needs less of it")
  }
}

extension Column {
  /// What rows of it take, about.
  func bytes(ofRows count: Int) -> Int {
    let texts = type.storage == .text && self.count > 0 ? text.bytes.count * count / self.count : 0
    // Buffers grow by doubling: half of that again.
    return (count * (type.storage == .decimals ? 17 : 9) + texts) * 3 / 2
  }
}

extension ColumnBatch {
  /// Appends all rows of a batch of the same types.
  mutating func append(_ other: borrowing ColumnBatch) {
    guard rowCount > 0 else {
      self = copy other
      return
    }
    for index in columns.indices { columns[index].append(0..<other.rowCount, of: other.columns[index]) }
    rowCount += other.rowCount
  }
}
