package import Core
internal import CRDKafka

/// A consumer group as its coordinator sees it.
package struct GroupDescription: Sendable, Equatable {
  package var id: String
  /// The protocol's word: `Stable`, `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Dead`.
  package var state: String
  package var assignor: String
  package var members: [Member]

  package struct Member: Sendable, Equatable {
    package var id: String
    package var instanceID: String?
    package var clientID: String
    package var host: String
    package var partitions: [TopicPartition]
  }
}

extension Admin {
  /// The ids of all consumer groups.
  package func listGroups() throws(HeadraceError) -> [String] {
    let answer = unsafe try perform(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, while: "list groups") { options, answers in
      unsafe rd_kafka_ListConsumerGroups(client.handle, options, answers)
    }
    let result = unsafe rd_kafka_event_ListConsumerGroups_result(answer.pointer)
    var errorCount = 0
    if let errors = unsafe rd_kafka_ListConsumerGroups_result_errors(result, &errorCount), errorCount > 0,
      let error = unsafe errors[0]
    {
      let code = KafkaErrorCode(unsafe rd_kafka_error_code(error))
      throw client.error(code, while: "list groups")
    }
    var count = 0
    let listings = unsafe rd_kafka_ListConsumerGroups_result_valid(result, &count)
    return (0..<count).compactMap { index in
      guard let listing = unsafe listings?[index] else { return nil }
      return unsafe rd_kafka_ConsumerGroupListing_group_id(listing).map { unsafe String(cString: $0) }
    }.sorted()
  }

  package func describeGroup(_ id: String) throws(HeadraceError) -> GroupDescription {
    let answer = unsafe try perform(RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, while: "describe the group") {
      options, answers in
      unsafe CStrings.with([id]) { names in
        unsafe rd_kafka_DescribeConsumerGroups(client.handle, names.baseAddress, names.count, options, answers)
      }
    }
    var count = 0
    let groups = unsafe rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(answer.pointer), &count)
    guard count > 0, let group = unsafe groups?[0] else {
      throw client.error(.unknownGroup, while: "describe the group")
    }
    if let error = unsafe rd_kafka_ConsumerGroupDescription_error(group) {
      throw client.error(KafkaErrorCode(unsafe rd_kafka_error_code(error)), while: "describe the group", place: id)
    }
    let memberCount = unsafe rd_kafka_ConsumerGroupDescription_member_count(group)
    return GroupDescription(
      id: id,
      state: unsafe CStrings.string(
        rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(group))),
      assignor: unsafe CStrings.string(rd_kafka_ConsumerGroupDescription_partition_assignor(group)),
      members: (0..<memberCount).compactMap { index in
        unsafe rd_kafka_ConsumerGroupDescription_member(group, index).map { unsafe GroupDescription.Member($0) }
      })
  }

  /// - Returns: the groups that were not deleted, with the reason: `NON_EMPTY_GROUP`, `GROUP_ID_NOT_FOUND`.
  package func deleteGroups(_ ids: [String]) throws(HeadraceError) -> [String: HeadraceError] {
    guard !ids.isEmpty else { return [:] }
    let objects = unsafe ids.compactMap { unsafe rd_kafka_DeleteGroup_new($0) }
    let answer = unsafe try perform(RD_KAFKA_ADMIN_OP_DELETEGROUPS, while: "delete groups") { options, answers in
      unsafe Self.withObjects(objects, destroy: { unsafe rd_kafka_DeleteGroup_destroy($0) }) { array, count in
        unsafe rd_kafka_DeleteGroups(client.handle, array, count, options, answers)
      }
    }
    var count = 0
    let results = unsafe rd_kafka_DeleteGroups_result_groups(
      rd_kafka_event_DeleteGroups_result(answer.pointer), &count)
    return unsafe Self.groupFailures(results, count, while: "delete the group")
  }

  static func groupFailures(
    _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int, while activity: String
  ) -> [String: HeadraceError] {
    unsafe failures(results, count, while: activity) { result in
      let error = unsafe rd_kafka_group_result_error(result)
      return unsafe (
        rd_kafka_group_result_name(result), rd_kafka_error_code(error), rd_kafka_error_string(error)
      )
    }
  }
}

extension GroupDescription.Member {
  fileprivate init(_ member: OpaquePointer) {
    let assignment = unsafe rd_kafka_MemberDescription_assignment(member)
    unsafe self.init(
      id: CStrings.string(rd_kafka_MemberDescription_consumer_id(member)),
      instanceID: rd_kafka_MemberDescription_group_instance_id(member).map { unsafe String(cString: $0) },
      clientID: CStrings.string(rd_kafka_MemberDescription_client_id(member)),
      host: CStrings.string(rd_kafka_MemberDescription_host(member)),
      partitions: RDPartitionList.elements(of: rd_kafka_MemberAssignment_partitions(assignment)).map(\.partition))
  }
}
