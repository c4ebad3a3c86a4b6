internal import Columns
internal import Core
internal import Expressions
internal import Features
internal import OnlineStore
internal import Topology

extension ModelStage {
  /// Empties the matrix for a batch: what nobody fills is missing.
  func begin(rowCount: Int) {
    let (cells, flags) = (rowCount * stride, rowCount * blocks.count)
    if matrix.count < cells { matrix += repeatElement(.nan, count: cells - matrix.count) }
    unsafe matrix.withUnsafeMutableBufferPointer { buffer in
      unsafe UnsafeMutableBufferPointer(rebasing: buffer[..<cells]).update(repeating: .nan)
    }
    if isMissing.count < flags { isMissing += repeatElement(false, count: flags - isMissing.count) }
    // A view of our own that is not applied here is still being built.
    let isOwn = blocks.map(\.isOwn)
    var index = 0
    for _ in 0..<rowCount {
      for flag in isOwn {
        isMissing[index] = flag
        index += 1
      }
    }
    if applies.count < rowCount { applies += repeatElement(false, count: rowCount - applies.count) }
  }

  /// Applies the rows of a view of this source, and takes its features after each event.
  ///
  /// Parts of one batch come one after the other.
  ///
  /// - Parameters:
  ///   - target: the view.
  ///   - applied: the rows that it takes.
  ///   - rows: all rows that are predicted for.
  /// - Returns: false for a view that no model reads: nothing was done.
  func applyAndGather(
    _ target: SourcePipeline.ViewTarget, _ store: TaskStore, keys: borrowing EntityKeys, applied: ArraySlice<Int>,
    rows: ArraySlice<Int>, headers: borrowing EventHeaders
  ) throws(HeadraceError) -> Bool {
    guard let position = blocks.firstIndex(where: { $0.view == target.view }) else { return false }
    let block = blocks[position]
    readRows.removeAll(keepingCapacity: true)
    for row in rows {
      isMissing[row * blocks.count + position] = false
      applies[row] = false
      // Nothing is kept under such a key, as `RowDecisions.select` has it.
      guard keys.isValid[row], keys.text[row].byteCount <= EntityKey.bytesMaximum else { continue }
      readRows.append(row)
    }
    for row in applied { applies[row] = true }
    let (rows, flags) = (readRows, applies)
    try unsafe matrix.withUnsafeMutableBufferPointer { buffer throws(HeadraceError) in
      guard let start = buffer.baseAddress else { return }
      try unsafe store.applyAndGather(
        view: target.storeView, keys: keys, inputs: target.inputs, rows: rows, applies: flags, headers: headers,
        into: FeatureMatrix(start: start + block.first, stride: stride, plan: block.gathered))
    }
    return true
  }

  /// Reads the rows of other sources and other tasks as they are now, at the times of the events.
  func readOthers(_ batch: borrowing ColumnBatch, rows: [Int], headers: borrowing EventHeaders) {
    // Taken out for the time of the loop: each access to what an object holds is checked.
    var (matrix, isMissing) = ([Double](), [Bool]())
    swap(&matrix, &self.matrix)
    swap(&isMissing, &self.isMissing)
    defer {
      swap(&matrix, &self.matrix)
      swap(&isMissing, &self.isMissing)
    }
    let (stride, blockCount) = (stride, blocks.count)
    for (position, block) in blocks.enumerated() where !block.isOwn {
      keys.encode(batch.columns, parts: block.keyColumns, rowCount: batch.rowCount)
      unsafe matrix.withUnsafeMutableBufferPointer { buffer in
        guard let start = buffer.baseAddress else { return }
        unsafe reader.gather(
          view: block.view, keys: keys, rows: rows, at: headers.eventTimesMilliseconds,
          into: FeatureMatrix(start: start + block.first, stride: stride, plan: block.gathered)
        ) { row in isMissing[row * blockCount + position] = true }
      }
    }
  }

  /// Computes derived and on-demand features for the whole batch.
  func compute(_ batch: borrowing ColumnBatch, _ scratch: inout ExpressionScratch) {
    for index in computed.indices {
      for (position, origin) in computed[index].inputs {
        switch origin {
        case .event(let column): computed[index].batch.columns[position] = copy(batch.columns[column])
        case .computed(let other): computed[index].batch.columns[position] = computed[other].result
        case .gathered(let column):
          computed[index].batch.columns[position].removeAll()
          for row in 0..<batch.rowCount {
            computed[index].batch.columns[position].append(number: matrix[row * stride + column])
          }
        }
      }
      computed[index].batch.rowCount = batch.rowCount
      var result = Column(computed[index].expression.type)
      swap(&result, &computed[index].result)
      computed[index].expression.evaluate(computed[index].batch, into: &result, scratch: &scratch)
      if computed[index].isOfOneRow { forgetWhatIsNotRetained(computed[index], &result, rowCount: batch.rowCount) }
      swap(&result, &computed[index].result)
      // What was lent is given back, so that its owner fills it in place.
      for (position, origin) in computed[index].inputs {
        if case .gathered = origin { continue }
        computed[index].batch.columns[position] = Column(computed[index].batch.columns[position].type)
      }
    }
  }

  /// As a read has it: nothing is said of a row of which a part is gone. Only late events have such rows.
  private func forgetWhatIsNotRetained(_ feature: ComputedFeature, _ result: inout Column, rowCount: Int) {
    var columns: [Int] = []
    for case (_, .gathered(let column)) in feature.inputs { columns.append(column) }
    func isForgotten(_ row: Int) -> Bool {
      columns.contains { GatherPlan.isNotRetained(matrix[row * stride + $0]) }
    }
    guard (0..<rowCount).contains(where: isForgotten) else { return }
    result = result.with(nullIn: isForgotten, rowCount: rowCount)
  }

  private func copy(_ column: Column) -> Column { column }
}
