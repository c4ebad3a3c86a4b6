import Core
import Testing
import Topology

@testable import Training

/// Requests to orchestrators, and what their answers mean; the products themselves are asked in `Tests/Orchestrators`.
@Suite struct OrchestratorTests {
  private static let id = "A_policy_with_quite_a_long_name_that_goes_on_and_on_for_a_while_longer-0123456789abcdef"

  private static func request(_ kind: OrchestratorPlan.Kind, url: String = "https://o.example", target: String = "t")
    -> OrchestratorRequest
  {
    OrchestratorRequest(
      OrchestratorPlan(
        kind: kind, url: url, target: target, namespace: "ml", timeoutMilliseconds: 1),
      retraining: id, policy: "p", model: "m", dataset: nil, cause: "{\"kind\":\"rows\"}")
  }

  private static func body(_ request: OrchestratorRequest) throws -> JSONDocument {
    try JSONDocument(Array(request.body.utf8), depthMax: 16)
  }

  @Test func `Each has its address`() {
    #expect(Self.request(.airflow, target: "a b/c").url == "https://o.example/api/v2/dags/a%20b%2Fc/dagRuns")
    #expect(Self.request(.dagster, target: "l/j").url == "https://o.example/graphql")
    #expect(Self.request(.prefect, url: "https://o.example/").url.hasSuffix("/api/deployments/t/create_flow_run"))
    let cloud = "https://o.example/api/accounts/a/workspaces/w"
    #expect(Self.request(.prefect, url: cloud).url == "\(cloud)/deployments/t/create_flow_run")
    #expect(Self.request(.argo).url == "https://o.example/api/v1/workflows/ml/submit")
    #expect(Self.request(.kubeflow).url == "https://o.example/apis/v2beta1/runs")
    #expect(Self.request(.github, target: "o/r").url == "https://o.example/repos/o/r/dispatches")
    #expect(Self.request(.webhook, url: "https://o.example/x?y").url == "https://o.example/x?y")
  }

  @Test func `A job of Dagster is named as its selector wants it`() throws {
    for (target, expected) in [("l/j", ["l", "__repository__", "j"]), ("l/r/j", ["l", "r", "j"])] {
      let selector = try Self.body(Self.request(.dagster, target: target))["variables"]?["params"]?["selector"]
      let found = ["repositoryLocationName", "repositoryName", "jobName"].map { selector?[$0]?.string ?? "" }
      #expect(found == expected)
    }
  }

  @Test func `Names in Kubernetes are names, and end as the retraining does`() throws {
    let options = try Self.body(Self.request(.argo))["submitOptions"]
    let name = try #require(options?["name"]?.string)
    let label = try #require(options?["labels"]?.string?.split(separator: "=").last.map(String.init))
    for text in [name, label] {
      #expect(text.utf8.count <= 63 && text.hasSuffix("0123456789abcdef"))
      #expect(text.utf8.allSatisfy { $0 == 45 || (48...57).contains($0) || (97...122).contains($0) })
      #expect(!text.hasPrefix("-"))
    }
  }

  @Test func `An answer is a run, or a refusal with its words`() {
    let launched = Array("{\"data\":{\"launchRun\":{\"__typename\":\"LaunchRunSuccess\"}}}".utf8)
    let invalid = Array("{\"data\":{\"launchRun\":{\"__typename\":\"PythonError\",\"message\":\"no\"}}}".utf8)
    let dagster = Self.request(.dagster, target: "l/j")
    #expect(dagster.refusal(status: 200, body: launched) == nil)
    #expect(dagster.refusal(status: 200, body: invalid)?.contains("no") == true)
    #expect(dagster.refusal(status: 200, body: []) != nil)
    #expect(dagster.refusal(status: 200, body: Array("{\"errors\":[]}".utf8)) != nil)
    for kind in [OrchestratorPlan.Kind.airflow, .argo] {
      #expect(Self.request(kind).refusal(status: 409, body: []) == nil)
    }
    for kind in OrchestratorPlan.Kind.allCases where kind != .dagster {
      let request = Self.request(kind, target: "a/b")
      #expect(request.refusal(status: 204, body: []) == nil)
      #expect(request.refusal(status: 302, body: []) != nil)
      #expect(request.refusal(status: 422, body: Array("why\nnot".utf8)) == "the answer is 422: why not")
      if kind != .airflow, kind != .argo { #expect(request.refusal(status: 409, body: []) != nil) }
    }
  }

  @Test func `What has no name of ours is not asked twice`() {
    let once = OrchestratorPlan.Kind.allCases.filter { !Self.request($0, target: "a/b").isRepeatable }
    #expect(Set(once) == [.dagster, .kubeflow, .github])
  }

  /// The example of the specification, and one that Python's `standardwebhooks` has signed.
  @Test func `Signatures are those of Standard Webhooks`() throws {
    let code = try WebhookSignature.code(
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330, body: Array("{\"test\": 2432232314}".utf8),
      secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    // Base64 of these is g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=.
    let digits = code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    #expect(digits == "83484cf52b04f8e4cf2531adfed9882ad4b2665137b852442d594d20e2c9d4e1")
    for secret in ["whsec_A", "whsec_ab*d", "whsec_AB", "whsec_AAAAA"] {
      #expect(throws: HeadraceError.self, "\(secret)") {
        try WebhookSignature.code(id: "i", seconds: 1, body: [], secret: secret)
      }
    }
  }
}
