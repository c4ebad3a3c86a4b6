/// How many of a model's events are scored while its budget is spent.
package struct Sampling: Sendable, Hashable {
  package var topology: String
  /// As the topology calls it.
  package var model: String
  /// How many of 1,000 keys are scored; nil: all of them again.
  package var perMille: Int?
  /// When whoever began it wants it to end; 0 of an end.
  package var untilMilliseconds: Int64

  package init(topology: String, model: String, perMille: Int?, untilMilliseconds: Int64) {
    self.topology = topology
    self.model = model
    self.perMille = perMille
    self.untilMilliseconds = untilMilliseconds
  }

  /// Of the model in its topology: a topology's name has no dot.
  package var key: String { Self.key(topology: topology, model: model) }

  static func key(topology: String, model: String) -> String { "\(topology).\(model)" }
}

package struct RegisteredSampling: Sendable, Hashable {
  package var sampling: Sampling
  package var entry: RegistryEntry
}

extension RegistryState {
  /// Every beginning and end of a sample of a model, oldest first.
  package func samplings(topology: String, model: String) -> [RegisteredSampling] {
    samplings[Sampling.key(topology: topology, model: model)] ?? []
  }

  /// What was in force when the command at `position` had been followed; nil: every event was scored.
  package func sampling(topology: String, model: String, at position: Int64 = .max) -> RegisteredSampling? {
    let newest = samplings(topology: topology, model: model).last { $0.entry.offset <= position }
    return newest.flatMap { $0.sampling.perMille == nil ? nil : $0 }
  }

  mutating func set(_ sampling: Sampling, expected: Int64?, _ entry: RegistryEntry) throws(RegistryRefusal) {
    let newest = samplings[sampling.key]?.last
    guard newest?.entry.offset == expected else {
      throw .samplingOvertaken(found: newest?.entry.offset, expected: expected)
    }
    guard newest?.sampling != sampling, newest != nil || sampling.perMille != nil else { throw .samplingUnchanged }
    samplings[sampling.key, default: []].append(RegisteredSampling(sampling: sampling, entry: entry))
  }
}
