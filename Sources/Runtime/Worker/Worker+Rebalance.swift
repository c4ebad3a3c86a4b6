internal import Core
internal import Kafka
internal import Topology

// The group gives and takes. Called inside of a poll.
extension Worker {
  func prepare(_ partitions: [TopicPartition], for consumer: Consumer) throws {
    let numbers = Set(partitions.map(\.partition)).sorted()
    try checkWhole(partitions, numbers)
    let share = context.configuration.memoryBudgetBytes / max(numbers.count * context.configuration.workers, 1)
    let wake = control.wake
    for number in numbers where tasks[number] == nil {
      let task = try PartitionTask(
        number, context, consumer: consumer, memoryBudgetBytes: share, instruments: instruments, wake: wake)
      tasks[number] = task
      // Fencing waits for brokers: all of them at once.
      task.openState()
    }
    let deadline = WallClock.monotonic.nowMilliseconds + Self.startPatienceMilliseconds
    for number in numbers { try tasks[number]?.waitUntilStarted(deadlineMilliseconds: deadline) }
  }

  func assigned(_ partitions: [AssignedPartition], to consumer: Consumer) throws -> [TopicPartition: Int64] {
    var starts: [TopicPartition: Int64] = [:]
    for number in Set(partitions.map(\.partition.partition)) {
      guard let task = tasks[number] else { continue }
      task.isAssigned = true
      for (input, offset) in zip(task.inputs, task.startOffsets) { starts[input.partition] = offset }
      // A task that waits for a person reads nothing that counts.
      for partition in task.partitions where starts[partition] == nil { starts[partition] = 0 }
    }
    return starts
  }

  /// A task needs its partition of every topic: range assignment gives that when all topics have as many.
  private func checkWhole(_ partitions: [TopicPartition], _ numbers: [Int32]) throws {
    let given = Set(partitions)
    for number in numbers {
      for partition in context.partitions(of: number) where !given.contains(partition) {
        // While members go over to a plan that reads other topics, they differ for a moment: this one joins again.
        throw HeadraceError(
          .external, "PARTITIONS_APART", "the group gave task \(number) to this worker without \(partition)",
          retry: .newInstance, place: context.plan.name,
          remedy: "every member of the group must run the same topology, with the range assignor")
      }
    }
  }

  func revoked(_ partitions: [TopicPartition], from consumer: Consumer) throws {
    for number in Set(partitions.map(\.partition)) { tasks.removeValue(forKey: number)?.leave() }
  }

  func lost(_ partitions: [TopicPartition], from consumer: Consumer) throws {
    for number in Set(partitions.map(\.partition)) { tasks.removeValue(forKey: number)?.follow(.lost) }
  }

  private static let startPatienceMilliseconds: Int64 = 60_000
}
