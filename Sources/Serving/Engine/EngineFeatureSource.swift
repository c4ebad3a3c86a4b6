internal import Core
package import Features
package import OfflineStore
package import OnlineStore
package import Runtime
package import Topology

/// Features of one plan out of a running engine.
package struct EngineFeatureSource: SampledFeatureSource {
  private let engine: Engine
  private let reader: FeatureReader
  /// What samples are made again by; nil when none are taken.
  private let specification: ParitySpecification?

  package init(_ engine: Engine, _ plan: Plan) {
    self.engine = engine
    reader = engine.reader(of: plan)
    specification = engine.parity.map { _ in ParitySpecification(plan) }
  }

  package var samplesPerSecond: Int { engine.paritySamplesPerSecond }

  package func readTraced(
    view: Int, key: EntityKey, at time: ReadTime, features: [Int], into values: inout [FeatureValue]
  ) throws(OnlineReadError) -> TracedRead {
    do throws(Runtime.ReadError) {
      let (moment, prefix) = try reader.readTraced(
        view: view, key: key, at: time, features: features, into: &values)
      return TracedRead(moment: moment, prefix: prefix)
    } catch {
      throw OnlineReadError(error)
    }
  }

  package func take(_ sample: ServedVector) {
    if let specification { engine.parity?.offer(sample, specification) }
  }

  package func read(
    view: Int, key: EntityKey, at time: ReadTime, features: [Int], into values: inout [FeatureValue]
  ) throws(OnlineReadError) -> ReadMoment {
    values.removeAll(keepingCapacity: true)
    do throws(Runtime.ReadError) {
      return try reader.read(view: view, key: key, at: time, features: features, into: &values)
    } catch {
      throw OnlineReadError(error)
    }
  }

  package func isHere(_ partition: Int32) -> Bool { engine.hasTask(partition) }

  package func wait(for offsets: [RecordOffset], milliseconds: Int64) async throws(OnlineReadError) {
    let topics = Set(reader.plan.sources.map(\.topic))
    let partitionCount = engine.status().partitionCount ?? .max
    for offset in offsets where !topics.contains(offset.topic) || offset.partition >= partitionCount {
      throw .unknownOffset(offset)
    }
    let deadline = WallClock.monotonic.nowMilliseconds &+ milliseconds
    for offset in offsets {
      let isApplied = await engine.wait(
        for: TopicPartition(topic: offset.topic, partition: offset.partition), offset: offset.offset,
        timeoutMilliseconds: max(deadline &- WallClock.monotonic.nowMilliseconds, 0))
      guard isApplied else { throw .waitTimedOut }
    }
  }
}

extension OnlineReadError {
  fileprivate init(_ error: Runtime.ReadError) {
    switch error {
    case .notOwned(let partition): self = .notOwned(partition: partition, owner: nil)
    case .notReady(let partition, let why): self = .notReady(partition: partition, why: why)
    case .building: self = .building
    case .beforeHorizon: self = .beforeHorizon
    case .failed(let error): self = .failed(code: error.code, message: error.message)
    }
  }
}
