extension Plan {
  /// Every topic that this plan reads or writes, inputs first.
  var neededTopics: [TopicPlan] {
    var topics = sources.map { TopicPlan(name: $0.topic, role: .input, owners: [$0.name]) }
    for view in views {
      if let topic = view.repartitionTopic {
        topics.append(TopicPlan(name: topic, role: .repartition, owners: [view.name]))
      }
    }
    topics.append(TopicPlan(name: deadLetterTopic, role: .deadLetter, owners: []))
    topics.append(TopicPlan(name: lateTopic, role: .late, owners: []))
    for model in models {
      if let index = topics.firstIndex(where: { $0.name == model.outputTopic && $0.role == .output }) {
        topics[index].owners.append(model.name)
      } else {
        topics.append(TopicPlan(name: model.outputTopic, role: .output, owners: [model.name]))
      }
    }
    for model in models {
      guard let requests = model.requests else { continue }
      topics.append(TopicPlan(name: requests.topic, role: .request, owners: [model.name]))
      for name in [requests.responseTopic] + requests.replyTopics
      where !topics.contains(where: { $0.name == name && $0.role == .response }) {
        topics.append(TopicPlan(name: name, role: .response, owners: [model.name]))
      }
    }
    return topics
  }

  /// Holds what is known of the broker against the plan: tasks are made of partitions with equal numbers.
  ///
  /// - Parameter partitionCounts: of the topics that exist.
  /// - Returns: what keeps the plan from running, in the file's order.
  package func check(partitionCounts: [String: Int32]) -> [Diagnostic] {
    var found: [Diagnostic] = []
    let inputs = topics.filter { $0.role == .input || $0.role == .repartition }
    let known = inputs.compactMap { topic in partitionCounts[topic.name].map { (topic, $0) } }
    guard let (first, count) = known.first else { return found }
    for (topic, other) in known.dropFirst() where other != count {
      found.append(
        Diagnostic(
          file: document.file, line: 1, column: 1,
          message: "topics of one topology need equal numbers of partitions: task n reads partition n of each",
          found: "`\(topic.name)` has \(other), `\(first.name)` has \(count)",
          remedy: topic.isOurs
            ? "delete `\(topic.name)`: it is made again with \(count)"
            : "publish `\(topic.name)` into a new topic with \(count) partitions, and read that one"))
    }
    return found
  }
}
