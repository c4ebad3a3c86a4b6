internal import Core
internal import Features
internal import NIOCore
internal import OnlineStore

extension FeatureServer {
  /// `POST /api/rows`: rows of this process's own tasks, for another worker.
  ///
  /// - Throws: 421 when a row is not here: the asker looks again who has it.
  func rows(_ body: ByteBuffer, deadline: NIODeadline) async throws(Problem) -> Reply {
    let request = try RowsRequest(body.readableBytesUInt8Span)
    let offer = offer
    guard request.topology == offer.catalog.name else {
      throw Problem(
        421, "OTHER_TOPOLOGY", "this worker runs \(offer.catalog.name), not \(request.topology)",
        remedy: "look again who has the task")
    }
    if !request.offsets.isEmpty { try await wait(for: request, offer, deadline) }
    guard request.rows.count > configuration.admission.rowsOnEventLoop else {
      return try read(request, offer, deadline)
    }
    return try await withTaskExecutorPreference(globalConcurrentExecutor) { () async throws(Problem) in
      try read(request, offer, deadline)
    }
  }

  private func wait(for request: RowsRequest, _ offer: Offer, _ deadline: NIODeadline) async throws(Problem) {
    let left = (deadline - NIODeadline.now()).nanoseconds / 1_000_000
    try admission.beginWaiting()
    defer { admission.endWaiting() }
    do throws(OnlineReadError) {
      for offset in request.offsets where !offer.features.isHere(offset.partition) {
        throw .notOwned(partition: offset.partition, owner: nil)
      }
      try await offer.features.wait(
        for: request.offsets, milliseconds: max(min(request.waitMilliseconds, left), 0))
    } catch {
      throw Problem(error, view: "min_offset")
    }
  }

  private func read(_ request: RowsRequest, _ offer: Offer, _ deadline: NIODeadline) throws(Problem) -> Reply {
    var columns: [(view: Int, features: [Int])] = []
    for view in request.views { columns.append(try position(of: view, offer.catalog)) }
    var answer = RowsAnswer()
    answer.rows.reserveCapacity(request.rows.count)
    var values: [FeatureValue] = []
    var sinceLook = 0
    for row in request.rows {
      let (view, features) = columns[row.view]
      // Rows may be of any width: it is their values that take the time.
      sinceLook += features.count + 1
      if sinceLook >= Self.valuesBetweenLooks {
        sinceLook = 0
        if NIODeadline.now() > deadline { throw .deadlineExceeded }
      }
      do throws(OnlineReadError) {
        let moment = try offer.features.read(
          view: view, key: EntityKey(bytes: row.key), at: request.time, features: features, into: &values)
        answer.rows.append(PeerRow(moment: moment, values: values))
      } catch {
        throw Problem(error, view: offer.catalog.views[view].name)
      }
    }
    return Reply(status: 200, contentType: .octets, body: ByteBuffer(bytes: answer.encoded))
  }

  /// Values that are read between two looks at the clock.
  private static var valuesBetweenLooks: Int { 256 }

  private func position(
    of view: RowsRequest.View, _ catalog: ServingCatalog
  ) throws(Problem) -> (view: Int, features: [Int]) {
    guard let index = catalog.view(named: view.name), catalog.views[index].fingerprint == view.fingerprint else {
      throw .otherPlan(view.name)
    }
    // Workers name each feature once: more than there are is no question of theirs.
    let featureCount = catalog.views[index].features.count
    guard view.features.count <= featureCount else {
      throw Problem(
        422, "TOO_MANY_FEATURES", "\(view.features.count) features, the view has \(featureCount)", place: view.name,
        remedy: "name each feature once")
    }
    var features: [Int] = []
    for name in view.features {
      guard let feature = catalog.views[index].features.firstIndex(where: { $0.name == name }) else {
        throw .otherPlan(view.name)
      }
      features.append(feature)
    }
    return (index, features)
  }
}

extension Problem {
  /// Workers go over to another plan one after the other.
  fileprivate static func otherPlan(_ view: String) -> Problem {
    Problem(
      503, "PLAN_DIFFERS", "the worker that has the key runs another plan", place: view, remedy: "ask again later",
      retryAfterSeconds: 1)
  }

  /// Each time that it was asked for, its task had just moved, or nobody had it.
  static let ownersMove = Problem(
    503, "OWNERS_MOVE", "tasks are moving between workers, or nobody has them",
    remedy: "ask again later; `headrace doctor` tells whether workers are missing", retryAfterSeconds: 1)

  /// What is put off until other workers have given their rows.
  var isPutOff: Bool { code == Self.putOff.code }

  /// What an owner says of a record that it has not applied in time.
  static let notYetApplied = Problem(OnlineReadError.waitTimedOut, view: "min_offset").code

  /// Never seen by a caller where there is somebody to ask.
  static let putOff = Problem(
    421, "NOT_OWNED", "a key's row is another worker's", remedy: "ask the other members of the group")
}
