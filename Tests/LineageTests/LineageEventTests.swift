import Core
import Lineage
import Testing

@Suite struct LineageEventTests {
  private static let producer = "https://headrace.invalid/1.0"
  private let job = LineageJob(namespace: "shop", name: "payments", kind: .topology)

  private func document(_ event: LineageEvent) throws -> JSONDocument {
    try JSONDocument(event.encoded(producer: Self.producer), depthMax: 12)
  }

  @Test func `an event has everything that the specification demands`() throws {
    let event = LineageEvent(
      .fail, timeMilliseconds: 1_700_000_000_123, job: job, runID: LineageRunID(named: "r1"),
      inputs: [
        .topic("payments", bootstrapServers: "b1:9092,b2:9092", fields: [.init(name: "amount", type: "double")])
      ],
      outputs: [.place("s3://lake/tables", below: "features/by_user", version: "7")],
      errorMessage: "no room \"left\"", notes: [.init(name: "partitions", value: "0,1")])
    let found = try document(event)
    #expect(found["eventType"]?.string == "FAIL")
    #expect(found["eventTime"]?.string == "2023-11-14T22:13:20.123Z")
    #expect(found["run"]?["facets"]?["errorMessage"]?["message"]?.string == "no room \"left\"")
    #expect(found["run"]?["facets"]?["headrace"]?["partitions"]?.string == "0,1")
    #expect(found["job"]?["facets"]?["jobType"]?["processingType"]?.string == "STREAMING")
    guard case .array(let inputs)? = found["inputs"]?.content, case .array(let outputs)? = found["outputs"]?.content
    else { throw JSONShapeError() }
    #expect(inputs[0]["namespace"]?.string == "kafka://b1:9092")
    #expect(outputs[0]["namespace"]?.string == "s3://lake")
    #expect(outputs[0]["name"]?.string == "tables/features/by_user")
    #expect(outputs[0]["facets"]?["version"]?["datasetVersion"]?.string == "7")
    #expect(
      outputs[0]["facets"]?["version"]?["_schemaURL"]?.string
        == "https://openlineage.io/spec/facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet")
  }

  private struct JSONShapeError: Error {}

  @Test func `a name has one run, chance has many`() {
    let one = LineageRunID(named: "r1").description
    #expect(one == LineageRunID(named: "r1").description)
    #expect(one != LineageRunID(named: "r2").description)
    #expect(one.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
    #expect(Array(one)[14] == "8")
    #expect("89ab".contains(Array(one)[19]))
    #expect(Array(LineageRunID().description)[14] == "4")
    #expect(LineageRunID() != LineageRunID())
  }

  @Test func `a queue that is full drops what comes, and counts it`() {
    let queue = LineageQueue(capacity: 2)
    for time in 0..<5 {
      queue.offer(LineageEvent(.running, timeMilliseconds: Int64(time), job: job, runID: LineageRunID(named: "r")))
    }
    #expect((queue.counts.waiting, queue.counts.dropped) == (2, 3))
    #expect(queue.first?.timeMilliseconds == 0)
    queue.removeFirst(wasSent: true)
    queue.removeFirst(wasSent: false)
    queue.removeFirst(wasSent: true)
    #expect(
      (queue.counts.waiting, queue.counts.dropped, queue.counts.sent, queue.counts.failed) == (0, 3, 1, 1))
  }

  @Test func `places are named as the specification names them`() {
    #expect(LineageDataset.place("/data/tables", below: "events/a").namespace == "file")
    #expect(LineageDataset.place("/data/tables/", below: "events/a").name == "/data/tables/events/a")
    #expect(LineageDataset.place("s3://lake").name == "/")
  }

  @Test func `the environment's own names count`() {
    var environment = ["OPENLINEAGE_URL": "http://marquez:5000/", "OPENLINEAGE_NAMESPACE": "shop"]
    #expect(LineageConfiguration(environment: environment).url == "http://marquez:5000/api/v1/lineage")
    environment["OPENLINEAGE_ENDPOINT"] = "/events"
    #expect(LineageConfiguration(environment: environment).url == "http://marquez:5000/events")
    environment["OPENLINEAGE_DISABLED"] = "true"
    #expect(!LineageConfiguration(environment: environment).isOn)
    #expect(LineageConfiguration(environment: [:], file: "events.jsonl").isOn)
    #expect(!LineageConfiguration(environment: [:]).isOn)
  }
}
