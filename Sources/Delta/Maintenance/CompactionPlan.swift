internal import Storage

/// What compaction makes of a table's small files.
package struct CompactionPolicy: Sendable {
  /// How large files shall become.
  package var targetBytes: Int64 = 128 << 20
  /// Files of this size and more stay as they are.
  package var smallBytes: Int64 { targetBytes / 4 * 3 }
  /// Columns whose smallest values order the files of a partition: rows keep that order if files do not overlap.
  /// Without them, or where they do not tell, files stand in the order of their times and names.
  package var orderedBy: [String] = []

  package init() {}
}

/// Which files become one: in each partition runs of small files, in order, up to the target size. No file is worth
/// rewriting alone.
enum CompactionPlan {
  static func bins(_ snapshot: TableSnapshot, _ policy: CompactionPolicy) -> [[DataFile]] {
    let small = snapshot.files.filter { $0.sizeBytes < policy.smallBytes }
    let partitions = Dictionary(grouping: small) { file in
      PartitionKey(values: snapshot.metadata.partitionColumns.map { file.partitionValues[$0] ?? nil })
    }
    return partitions.values.flatMap { bins(of: ordered($0, snapshot, policy), policy) }
      .sorted { $0[0].path.name < $1[0].path.name }
  }

  private struct PartitionKey: Hashable {
    var values: [String?]
  }

  private static func bins(of files: [DataFile], _ policy: CompactionPolicy) -> [[DataFile]] {
    var bins: [[DataFile]] = []
    var bin: [DataFile] = []
    var sizeBytes: Int64 = 0
    for file in files {
      if !bin.isEmpty && sizeBytes &+ file.sizeBytes > policy.targetBytes {
        bins.append(bin)
        (bin, sizeBytes) = ([], 0)
      }
      bin.append(file)
      sizeBytes &+= file.sizeBytes
    }
    bins.append(bin)
    return bins.filter { $0.count > 1 }
  }

  private static func ordered(
    _ files: [DataFile], _ snapshot: TableSnapshot, _ policy: CompactionPolicy
  ) -> [DataFile] {
    let columns = policy.orderedBy.compactMap { name in
      snapshot.metadata.schema.field(name)?.type.columnType.map { (name: name, type: $0) }
    }
    let keyed = files.map { file in
      let statistics = columns.isEmpty ? nil : FileStatistics(file)
      return (file: file, keys: columns.map { statistics?.minimum($0.name, $0.type) })
    }
    return keyed.sorted { left, right in
      for (leftKey, rightKey) in zip(left.keys, right.keys) {
        guard let leftKey, let rightKey, let order = ValueOrder.compare(leftKey, rightKey), order != 0 else { continue }
        return order < 0
      }
      let (leftTime, rightTime) = (left.file.modifiedMilliseconds, right.file.modifiedMilliseconds)
      return leftTime == rightTime ? left.file.path.name < right.file.path.name : leftTime < rightTime
    }.map(\.file)
  }
}
