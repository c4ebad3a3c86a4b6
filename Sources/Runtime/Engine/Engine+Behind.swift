extension Engine {
  /// More records than a worker applies in some tenths of a second: what is less is on its way anyhow.
  private static let behindRecords: Int64 = 50_000

  /// Whether records wait for the tasks of this process in such numbers that whatever can wait for them should.
  package var isBehind: Bool {
    var waiting: Int64 = 0
    for task in board.tasks {
      for input in task.status.inputs { waiting &+= input.lagRecords ?? 0 }
    }
    return waiting > Self.behindRecords
  }
}
