internal import Columns
internal import Core
internal import Features
internal import OnlineStore
internal import Topology

extension FeatureReader {
  /// Where the rows of a task are, found once for a batch; nil when nobody can read them here and now.
  private struct Owner {
    var task: TaskPublication
    var access: TaskPublication.Access
  }

  /// Reads features of the keys of a batch as numbers, each at a time of its own: as `read` with `asOf`.
  ///
  /// - Parameters:
  ///   - view: a position in `plan.views`.
  ///   - rows: indexes into `keys` and `times`; those without a key are passed over.
  ///   - times: epoch milliseconds.
  ///   - matrix: a row for each row of the batch; the caller has filled it with NaN.
  ///   - missing: is given each row that could not be read, and whose numbers are NaN.
  func gather(
    view: Int, keys: borrowing EntityKeys, rows: borrowing [Int], at times: borrowing [Int64],
    into matrix: FeatureMatrix, missing: (Int) -> Void
  ) {
    guard let count = board.partitionCount else {
      for index in rows.indices where keys.isValid[rows[index]] { missing(rows[index]) }
      return
    }
    let partitioner = plan.views[view].isRepartitioned ? nil : plan.sources[plan.views[view].source].partitioner
    var owners: [Owner??] = Array(repeating: nil, count: Int(count))
    for index in rows.indices where keys.isValid[rows[index]] {
      let row = rows[index]
      let partition = unsafe keys.text[row].withUnsafeBytes {
        unsafe (partitioner ?? .murmur2).partition(key: $0, partitionCount: count)
      }
      let owner: Owner?
      if let known = owners[Int(partition)] { owner = known } else { owner = self.owner(of: partition, view) }
      owners[Int(partition)] = .some(owner)
      guard let owner, gather(view, owner, row, of: keys, at: times[row], into: matrix) else {
        unsafe matrix.row(row).update(repeating: .nan)
        missing(row)
        continue
      }
    }
  }

  private func owner(of partition: Int32, _ view: Int) -> Owner? {
    guard let task = board.task(partition), let access = try? access(task, view) else { return nil }
    return Owner(task: task, access: access)
  }

  /// - Returns: false when it cannot be read, or lies before what is retained.
  private func gather(
    _ view: Int, _ owner: borrowing Owner, _ row: Int, of keys: borrowing EntityKeys, at time: Int64,
    into matrix: FeatureMatrix
  ) -> Bool {
    do throws(HeadraceError) {
      try owner.task.store.gather(
        view: owner.access.storeView, key: row, of: keys, at: time, watermark: owner.access.watermark, into: matrix)
    } catch {
      return false
    }
    return unsafe !matrix.row(row).contains(where: GatherPlan.isNotRetained)
  }
}
