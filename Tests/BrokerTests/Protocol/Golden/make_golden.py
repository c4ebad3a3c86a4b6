"""Golden frames of the Kafka protocol, made and checked by kafka-python (>= 3), which knows nothing of our code.

  pip install 'kafka-python>=3,<4'
  python make_golden.py requests  > requests.tsv   # frames that kafka-python encodes, and the values we must read
  python make_golden.py responses < responses.tsv  # decodes the frames that we encoded, compares with what we meant

Columns: API key, version, variant, frame without its length prefix in hex, value as JSON with sorted keys. Values carry
the names of our Swift properties; RENAMES and the functions shape_request and shape_response say where they differ from
Kafka's schemas.
"""
import importlib
import json
import re
import sys
import uuid
import zlib

from kafka.protocol.schemas import load_json

MODULES = ("producer", "consumer", "metadata", "admin", "sasl")

# API name in Kafka's schemas -> versions that the broker offers (Produce below 3 is refused).
APIS = {
    "Produce": (3, 9), "Fetch": (4, 12), "ListOffsets": (1, 7), "Metadata": (0, 12), "OffsetCommit": (2, 8),
    "OffsetFetch": (1, 8), "FindCoordinator": (0, 4), "JoinGroup": (0, 9), "Heartbeat": (0, 4), "LeaveGroup": (0, 5),
    "SyncGroup": (0, 5), "DescribeGroups": (0, 5), "ListGroups": (0, 4), "SaslHandshake": (0, 1),
    "ApiVersions": (0, 3), "CreateTopics": (2, 7), "DeleteTopics": (1, 6), "DeleteRecords": (0, 2),
    "InitProducerId": (0, 4), "OffsetForLeaderEpoch": (2, 4), "AddPartitionsToTxn": (0, 3), "AddOffsetsToTxn": (0, 3),
    "EndTxn": (0, 3), "TxnOffsetCommit": (0, 3), "DescribeConfigs": (1, 4), "AlterConfigs": (0, 2),
    "SaslAuthenticate": (0, 2), "CreatePartitions": (0, 3), "DeleteGroups": (0, 2), "IncrementalAlterConfigs": (0, 1),
    "OffsetDelete": (0, 0), "DescribeCluster": (0, 1), "DescribeProducers": (0, 0), "DescribeTransactions": (0, 0),
    "ListTransactions": (0, 0),
}

# Kafka's field -> our property; "Api.Field" counts before "Field".
RENAMES = {
    "TopicData": "topics", "PartitionData": "partitions", "PartitionIndex": "index", "Partition": "index",
    "PartitionIndexes": "partitions", "GenerationId": "generation", "GenerationIdOrMemberEpoch": "generation",
    "Topic": "name", "NumPartitions": "partitionCount", "BrokerIds": "brokerIDs", "Responses": "topics",
    "PartitionResponses": "partitions", "ReadOnly": "isReadOnly", "ConfigSource": "source", "Source": "source",
    "ForgottenTopicsData": "forgottenTopics", "PartitionMaxBytes": "maxBytes", "Timestamp": "timestampMilliseconds",
    "PartitionErrorCode": "errorCode", "ResultsByPartition": "partitions",
    "BatchIndexErrorMessage": "message", "ResourceType": "kind", "ResourceName": "name", "ConfigOperation": "operation",
    "FindCoordinator.KeyType": "kind", "FindCoordinator.Key": "key",
    "DescribeGroups.Groups": "groupIDs", "DeleteGroups.GroupsNames": "groupIDs", "DeleteGroups.Results": "groups",
    "GroupState": "state", "MemberMetadata": "metadata", "MemberAssignment": "assignment",
    "ApiVersions.ApiKeys": "ranges", "ApiVersions.ApiKey": "key", "CreateTopics.TopicId": "id",
    "CreateTopics.PartitionIndex": "partition", "CreatePartitions.Results": "topics", "DeleteTopics.TopicId": "id",
    "Metadata.TopicId": "id", "TopicAuthorizedOperations": "authorizedOperations",
    "DescribeConfigs.Results": "resources",
    "DescribeConfigs.ConfigType": "kind", "AlterConfigs.Responses": "resources",
    "IncrementalAlterConfigs.Responses": "resources", "DescribeCluster.BrokerId": "nodeID",
    "LastTimestamp": "lastTimestampMilliseconds", "CurrentTxnStartOffset": "currentTransactionStartOffset",
    "ProducerIdFilters": "producerIDFilters", "TransactionStates": "transactions", "TransactionState": "state",
    "DescribeTransactions.TransactionTimeoutMs": "timeoutMilliseconds",
    "DescribeTransactions.TransactionStartTimeMs": "startTimeMilliseconds", "RetentionTimeMs": "retentionMilliseconds",
    "ThrottleTimeMs": "throttleMilliseconds",
    "DescribeGroups.Response.Groups": "groups",
}

# Fields that we neither read nor write: tagged fields, and what only newer versions than ours have.
LEFT_OUT = {
    "Produce": {"TopicId", "CurrentLeader", "NodeEndpoints"},
    "Fetch": {"ClusterId", "ReplicaState", "TopicId", "ReplicaDirectoryId", "HighWatermark.Request", "CurrentLeader",
              "SnapshotId", "NodeEndpoints"},
    "ListOffsets": {"MaxNumOffsets", "TimeoutMs", "OldStyleOffsets"},
    "Metadata": {"ErrorCode.Top"},
    "OffsetCommit": {"TopicId", "CommitTimestamp"},
    "OffsetFetch": {"TopicId", "MemberId", "MemberEpoch"},
    "DescribeGroups": {"ErrorMessage"},
    "ListGroups": {"TypesFilter", "GroupType"},
    "ApiVersions": {"SupportedFeatures", "FinalizedFeaturesEpoch", "FinalizedFeatures", "ZkMigrationReady"},
    "CreateTopics": {"TopicConfigErrorCode"},
    "InitProducerId": {"Enable2Pc", "KeepPreparedTxn", "OngoingTxnProducerId", "OngoingTxnProducerEpoch"},
    "EndTxn": {"ProducerId.Response", "ProducerEpoch.Response"},
    "DescribeConfigs": {"IsDefault"},
    "DescribeCluster": {"IncludeFencedBrokers", "IsFenced"},
    "ListTransactions": {"DurationFilter", "TransactionalIdPattern"},
    "AddPartitionsToTxn": {"Transactions", "ResultsByTransaction", "ErrorCode.Top"},
}


def message_class(name):
    for module in MODULES:
        module = importlib.import_module("kafka.protocol." + module)
        if hasattr(module, name):
            return getattr(module, name)
    raise KeyError(name)


def covers(versions, version):
    """Whether Kafka's version range ("3+", "0-7", "2", "none") holds `version`."""
    if not versions or versions == "none":
        return False
    first, plus, last = re.fullmatch(r"(\d+)(\+|-(\d+))?", versions).groups()
    return int(first) <= version and (plus == "+" or version <= int(last or first))


def left_out(api, kind, field, depth):
    names = LEFT_OUT.get(api, set())
    name = field["name"]
    return name in names or f"{name}.{kind}" in names or (depth == 0 and f"{name}.Top" in names)


def swift_name(api, kind, field):
    name = re.sub("^V3AndBelow|V3AndBelow$", "", field["name"])
    for key in (f"{api}.{kind}.{name}", f"{api}.{name}", name):
        if key in RENAMES:
            return RENAMES[key]
    if name == "ResultsByTopic":
        return "topics"
    name = name[0].lower() + name[1:]
    name = re.sub("Ms$", "Milliseconds", name)
    return re.sub("Id(s?)$", r"ID\1", name)


def default_of(field):
    default = field.get("default", "")
    kind = field["type"]
    if default == "null":
        return None
    if kind.startswith("[]"):
        return []
    if kind == "string":
        return default
    if kind == "bool":
        return str(default).lower() == "true"
    if kind == "uuid":
        return uuid.UUID(int=0)
    if kind in ("bytes", "records"):
        return b""
    return int(str(default) or "0", 0)


def sample(field, path, version, variant):
    """A value for one field: rich and different everywhere, or as empty as the version allows."""
    kind = field["type"]
    if variant == "empty":
        if covers(field.get("nullableVersions"), version):
            return None
        return [] if kind.startswith("[]") else default_of(field) if kind != "bytes" else b""
    seed = zlib.crc32(path.encode())
    if kind.startswith("[]"):
        count = 2 if path.count("/") < 3 else 1
        inner = {**field, "type": kind[2:], "nullableVersions": None}
        if "fields" in field:
            return [structure(field["fields"], f"{path}/{i}", version, variant) for i in range(count)]
        return [sample(inner, f"{path}/{i}", version, variant) for i in range(count)]
    if field["name"] == "IsolationLevel":
        return 1
    if kind == "string":
        return f"{field['name'].lower()}-{seed % 97}" + ("-\u00fc\u20ac" if seed % 3 == 0 else "")
    if kind == "bool":
        return not default_of(field)
    if kind == "uuid":
        return uuid.UUID(int=seed << 96 | seed << 20 | 1)
    if kind in ("bytes", "records"):
        return bytes((seed >> i) & 0xff for i in range(24)) + b"\x00\xff"
    bits = int(kind.removeprefix("u").removeprefix("int"))
    return ((seed * 0x9E3779B97F4A7C15) % (1 << bits)) - (1 << (bits - 1))


def structure(fields, path, version, variant):
    return {
        field["name"]: sample(field, f"{path}/{field['name']}", version, variant)
        for field in fields if covers(field["versions"], version) and not ("tag" in field and "fields" in field)
    }


def to_message(fields, values, data_class, version):
    """The same values as kafka-python's objects."""
    arguments = {}
    for field in fields:
        if field["name"] not in values:
            continue
        name, value = underscored(field["name"]), values[field["name"]]
        if "fields" in field and value is not None:
            element = getattr(data_class, field["type"].removeprefix("[]"))
            value = [to_message(field["fields"], item, element, version) for item in value]
        arguments[name] = value
    return data_class(version=version, **arguments)


def underscored(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def attribute(item, name):
    # kafka-python drops the first word of Metadata's two fields.
    return underscored(name) if hasattr(item, underscored(name)) else underscored(name).split("_", 1)[1]


def canonical(api, kind, fields, read, version, fill, depth=0):
    """Values under our names. `read(field)` gets a value; fields outside of the version are defaults if `fill`."""
    result = {}
    for field in fields:
        if left_out(api, kind, field, depth):
            continue
        name = swift_name(api, kind, field)
        if covers(field["versions"], version):
            value = read(field)
            if value is None and name.endswith("uthorizedOperations"):
                value = -(1 << 31)  # kafka-python's None for "not asked for"
            if value is None and field["type"] == "uuid":
                value = uuid.UUID(int=0)  # kafka-python's None for "no id"
            if "fields" in field and value is not None:
                items = value if field["type"].startswith("[]") else [value]
                shaped = [
                    canonical(api, kind, field["fields"], reader(item), version, fill, depth + 1) for item in items
                ]
                value = shaped if field["type"].startswith("[]") else shaped[0]
            result[name] = plain(value)
        elif fill and name not in result:
            result[name] = plain(default_of(field))
    return result


def reader(item):
    if isinstance(item, dict):
        return lambda field: item[field["name"]]
    return lambda field: getattr(item, attribute(item, field["name"]))


def plain(value):
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, (set, frozenset)):  # authorized operations: the numbers of the bits that are set
        return sum(1 << bit for bit in value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


# Where our structures differ from the schema: the older single form becomes a list of one.

def shape_request(api, value, version):
    if api == "Metadata" and version == 0 and value["topics"] == []:
        value["topics"] = None
    elif api == "OffsetFetch":
        groups = [{"groupID": value["groupID"], "topics": value["topics"]}] if version < 8 else value["groups"]
        value = {"groups": groups, "requireStable": value["requireStable"]}
    elif api == "FindCoordinator":
        keys = [value["key"]] if version < 4 else value["coordinatorKeys"]
        value = {"keys": keys, "kind": value["kind"]}
    elif api == "LeaveGroup":
        if version < 3:
            value["members"] = [{"memberID": value["memberID"], "groupInstanceID": None, "reason": None}]
        del value["memberID"]
    elif api == "DeleteTopics":
        names = value.pop("topicNames")
        if version < 6:
            value["topics"] = [{"name": name, "id": "0" * 32} for name in names]
    elif api == "OffsetDelete":
        for topic in value["topics"]:
            topic["partitions"] = [partition["index"] for partition in topic["partitions"]]
    elif api == "ListOffsets" and version < 2:
        value["isolationLevel"] = 0
    return value


def shape_response(api, value, meant, version):
    """(what the frame says, what we meant), reduced to what the version can say."""
    if api == "OffsetFetch" and version < 8:
        group = meant["groups"][0]
        meant = {**meant, "topics": group["topics"], "errorCode": group["errorCode"]}
    elif api == "FindCoordinator" and version < 4:
        meant = {**meant, **meant["coordinators"][0]}
    elif api == "LeaveGroup" and version < 3:
        meant = {**meant, "errorCode": meant["errorCode"] or meant["members"][0]["errorCode"]}
    elif api in ("JoinGroup", "Metadata", "DeleteTopics"):
        nullable_from = {"JoinGroup": 7, "Metadata": 12, "DeleteTopics": 6}[api]
        if version < nullable_from:
            meant = json.loads(json.dumps(meant))
            for item, key in [(meant, "protocolName")] + [(topic, "name") for topic in meant.get("topics", [])]:
                if item.get(key, "") is None:
                    item[key] = ""
    return value, meant


def differences(said, meant, path=""):
    """Every place where a field that the frame holds is not what we meant."""
    if isinstance(said, dict) and isinstance(meant, dict):
        for name, value in said.items():
            if name not in meant:
                yield f"{path}.{name}: unknown"
            else:
                yield from differences(value, meant[name], f"{path}.{name}")
    elif isinstance(said, list) and isinstance(meant, list) and len(said) == len(meant):
        for index, (left, right) in enumerate(zip(said, meant)):
            yield from differences(left, right, f"{path}[{index}]")
    elif said != meant:
        yield f"{path}: {said!r}, meant {meant!r}"


def make_requests():
    for api, (first, last) in APIS.items():
        schema = load_json(api + "Request")
        request_class = message_class(api + "Request")
        for version in range(first, last + 1):
            for variant in ("full", "empty"):
                values = structure(schema["fields"], api, version, variant)
                message = to_message(schema["fields"], values, request_class, version)
                message.with_header(correlation_id=version + 1000, client_id="golden" if variant == "full" else None)
                frame = message.encode(version=version, header=True)
                value = canonical(api, "Request", schema["fields"], reader(values), version, fill=True)
                value = shape_request(api, value, version)
                text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
                print(schema["apiKey"], version, variant, frame.hex(), text, sep="\t")


def check_responses():
    by_key = {load_json(api + "Response")["apiKey"]: api for api in APIS}
    checked, failures = 0, 0
    for line in sys.stdin:
        key, version, variant, frame, meant = line.rstrip("\n").split("\t")
        api, version, frame, meant = by_key[int(key)], int(version), bytes.fromhex(frame), json.loads(meant)
        response_class = message_class(api + "Response")
        message = response_class.decode(frame, version=version, header=True)
        correlation_id, message._header = message.header.correlation_id, None
        problems = []
        again = message.encode(version=version)
        if not frame.endswith(again) or len(frame) - len(again) not in (4, 5):
            problems.append("kafka-python encodes it differently")
        if correlation_id != version + 1000:
            problems.append("correlation id")
        fields = load_json(api + "Response")["fields"]
        said = canonical(api, "Response", fields, reader(message), version, fill=False)
        problems += differences(*shape_response(api, said, meant, version))
        for problem in problems:
            print(f"{api} v{version} {variant}: {problem}")
        checked += 1
        failures += bool(problems)
    offered = {(load_json(api + "Response")["apiKey"], version)
               for api, (first, last) in APIS.items() for version in range(first, last + 1)}
    print(f"{checked} responses, {failures} wrong; {len(offered)} versions offered")
    return 1 if failures else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["requests"]:
        make_requests()
    elif sys.argv[1:] == ["responses"]:
        sys.exit(check_responses())
    else:
        sys.exit(__doc__)
