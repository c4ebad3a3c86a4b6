internal import Columns
internal import Core
internal import Features
internal import OnlineStore
internal import Topology

/// Rows of a batch by the partition that owns their keys. Buffers are kept from batch to batch.
struct OwnedRows {
  fileprivate var rows: [[Int]] = []

  fileprivate mutating func begin(_ partitionCount: Int) {
    while rows.count < partitionCount { rows.append([]) }
    for partition in rows.indices { rows[partition].removeAll(keepingCapacity: true) }
  }
}

extension FeatureReader {
  /// Reads features of the keys of a batch as numbers, each at a time of its own: as `read` with `asOf`.
  ///
  /// - Parameters:
  ///   - view: a position in `plan.views`.
  ///   - rows: indexes into `keys` and `times`; those without a key are passed over.
  ///   - times: epoch milliseconds.
  ///   - matrix: a row for each row of the batch; the caller has filled it with NaN.
  ///   - owned: the caller keeps it for the next batch.
  ///   - missing: is given each row that could not be read, and whose numbers are NaN.
  func gather(
    view: Int, keys: borrowing EntityKeys, rows: borrowing [Int], at times: borrowing [Int64],
    into matrix: FeatureMatrix, _ owned: inout OwnedRows, missing: (Int) -> Void
  ) {
    guard let count = board.partitionCount else {
      for index in rows.indices where keys.isValid[rows[index]] { missing(rows[index]) }
      return
    }
    let partitioner =
      (plan.views[view].isRepartitioned ? nil : plan.sources[plan.views[view].source].partitioner) ?? .murmur2
    owned.begin(Int(count))
    for index in rows.indices where keys.isValid[rows[index]] {
      let partition = unsafe keys.text[rows[index]].withUnsafeBytes {
        unsafe partitioner.partition(key: $0, partitionCount: count)
      }
      owned.rows[Int(partition)].append(rows[index])
    }
    for partition in owned.rows.indices where !owned.rows[partition].isEmpty {
      let isRead = gather(view, Int32(partition), keys, owned.rows[partition], at: times, into: matrix)
      for row in owned.rows[partition] {
        let isRetained = unsafe !matrix.row(row).contains(where: GatherPlan.isNotRetained)
        guard !isRead || !isRetained else { continue }
        unsafe matrix.row(row).update(repeating: .nan)
        missing(row)
      }
    }
  }

  /// - Returns: false when they cannot be read here and now.
  private func gather(
    _ view: Int, _ partition: Int32, _ keys: borrowing EntityKeys, _ rows: borrowing [Int],
    at times: borrowing [Int64], into matrix: FeatureMatrix
  ) -> Bool {
    guard let task = board.task(partition), let access = try? access(task, view) else { return false }
    do throws(HeadraceError) {
      try task.store.gather(
        view: access.storeView, keys: keys, rows: rows, at: times, watermark: access.watermark, into: matrix)
      return true
    } catch {
      return false
    }
  }
}
