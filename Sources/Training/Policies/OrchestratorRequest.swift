internal import Core
package import Topology

/// What an orchestrator is asked: its own address, its own JSON, and in it what a pipeline needs to bring a model back.
///
/// Airflow: `POST /api/v2/dags/{dag_id}/dagRuns`; Dagster: GraphQL `launchRun`; Prefect: `POST
/// /api/deployments/{id}/create_flow_run`; Argo Workflows: `POST /api/v1/workflows/{namespace}/submit`; Kubeflow
/// Pipelines: `POST /apis/v2beta1/runs`; GitHub: `POST /repos/{owner}/{repo}/dispatches`.
///
/// Where the product takes a name of ours for the run, asking again begins nothing twice, and its answer that there is
/// one is as good as the first. Dagster, Kubeflow and GitHub take none: what comes back second is refused here.
package struct OrchestratorRequest: Sendable, Equatable {
  package var url: String
  package var body: String
  /// Beside those of every request; without the token.
  package var headers: [String: String]
  package var tokenVariable: String?
  package var secretVariable: String?
  private let kind: OrchestratorPlan.Kind

  /// Whether it may be sent again when nobody knows what became of it.
  package var isRepeatable: Bool {
    switch kind {
    case .airflow, .prefect, .argo, .webhook: true
    case .dagster, .kubeflow, .github: false
    }
  }

  /// Why an answer is a refusal; nil when the run has begun.
  package func refusal(status: Int, body: [UInt8]) -> String? {
    // Of Airflow and Argo: there is a run of that name already, which is ours.
    if status == 409, kind == .airflow || kind == .argo { return nil }
    guard (200..<300).contains(status) else { return "the answer is \(status)" + Self.shown(body) }
    guard kind == .dagster else { return nil }
    // GraphQL answers 200 to everything.
    let launch = (try? JSONDocument(body, depthMax: 32))?["data"]?["launchRun"]
    if launch?["__typename"]?.string == "LaunchRunSuccess" { return nil }
    return "the run was not launched" + Self.shown(body)
  }

  private static let shownBytes = 400

  private static func shown(_ body: [UInt8]) -> String {
    let text = String(decoding: body.prefix(shownBytes), as: UTF8.self).map { $0.isNewline ? " " : $0 }
    return text.isEmpty ? "" : ": \(String(text))"
  }

  package init(
    _ plan: OrchestratorPlan, retraining: String, policy: String, model: String, dataset: DatasetResult?, cause: String
  ) {
    let facts: Facts = [
      ("retraining", retraining), ("policy", policy), ("model", model), ("dataset", dataset?.folder ?? ""),
      ("dataset_hash", dataset?.contentHash ?? ""), ("label", "label"),
    ]
    tokenVariable = plan.tokenVariable
    secretVariable = plan.secretVariable
    kind = plan.kind
    headers = ["content-type": "application/json", "user-agent": "headrace"]
    if plan.kind == .github {
      headers["accept"] = "application/vnd.github+json"
      headers["x-github-api-version"] = "2022-11-28"
    }
    url = Self.url(plan)
    body =
      switch plan.kind {
      case .airflow: Self.airflow(facts, retraining)
      case .dagster: Self.dagster(facts, retraining, job: plan.target)
      case .prefect: Self.prefect(facts, retraining)
      case .argo: Self.argo(facts, retraining, template: plan.target)
      case .kubeflow: Self.kubeflow(facts, retraining, pipeline: plan.target)
      case .github: Self.github(facts)
      case .webhook: Self.webhook(facts, target: plan.target, cause: cause)
      }
  }

  private static func url(_ plan: OrchestratorPlan) -> String {
    let base = plan.url.hasSuffix("/") ? String(plan.url.dropLast()) : plan.url
    let target = EscapedText.url(plan.target)
    return switch plan.kind {
    case .airflow: "\(base)/api/v2/dags/\(target)/dagRuns"
    case .dagster: "\(base)/graphql"
    // Its cloud has the account in front: `https://HOST/api/accounts/A/workspaces/W`.
    case .prefect: "\(base)\(base.contains("/api/") ? "" : "/api")/deployments/\(target)/create_flow_run"
    case .argo: "\(base)/api/v1/workflows/\(EscapedText.url(plan.namespace ?? "default"))/submit"
    case .kubeflow: "\(base)/apis/v2beta1/runs"
    case .github: "\(base)/repos/\(plan.target)/dispatches"
    case .webhook: plan.url
    }
  }

  private typealias Facts = [(String, String)]

  private static func airflow(_ facts: Facts, _ retraining: String) -> String {
    WorkJSON.text { json in
      // The same id again is refused by Airflow: a repeated call begins nothing twice.
      json.member("dag_run_id", "headrace__\(retraining)")
      json.key("logical_date")
      json.null()
      json.key("conf")
      write(facts, to: &json)
    }
  }

  private static func dagster(_ facts: Facts, _ retraining: String, job: String) -> String {
    WorkJSON.text { json in
      json.member(
        "query",
        "mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename "
          + "... on LaunchRunSuccess { run { runId } } ... on Error { message } "
          + "... on RunConfigValidationInvalid { errors { message } } } }")
      json.key("variables")
      json.object { json in
        json.key("params")
        json.object { json in
          json.key("selector")
          json.object { json in
            let (location, repository, name) = dagsterJob(job)
            json.member("repositoryLocationName", location)
            json.member("repositoryName", repository)
            json.member("jobName", name)
          }
          json.key("runConfigData")
          nest(["ops", "headrace", "config"], facts, &json)
          json.key("executionMetadata")
          json.object { json in
            json.key("tags")
            json.array { tags in
              tags.object { json in
                json.member("key", "headrace/retraining")
                json.member("value", retraining)
              }
            }
          }
        }
      }
    }
  }

  /// `location/job`, or `location/repository/job`; code that defines no repository is in one of this name.
  private static func dagsterJob(_ target: String) -> (location: String, repository: String, job: String) {
    let parts = target.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    return parts.count == 3
      ? (parts[0], parts[1], parts[2]) : (parts[0], "__repository__", parts.count == 2 ? parts[1] : "")
  }

  /// Objects in each other, the facts in the innermost one.
  private static func nest(_ keys: [String], _ facts: Facts, _ json: inout JSONWriter) {
    guard let key = keys.first else { return write(facts, to: &json) }
    json.object { json in
      json.key(key)
      nest(Array(keys.dropFirst()), facts, &json)
    }
  }

  private static func prefect(_ facts: Facts, _ retraining: String) -> String {
    WorkJSON.text { json in
      json.member("name", retraining)
      json.member("idempotency_key", retraining)
      json.key("parameters")
      write(facts, to: &json)
      json.key("tags")
      json.array { $0.string("headrace") }
    }
  }

  private static func argo(_ facts: Facts, _ retraining: String, template: String) -> String {
    WorkJSON.text { json in
      json.member("resourceKind", "WorkflowTemplate")
      json.member("resourceName", template)
      json.key("submitOptions")
      json.object { json in
        json.member("name", name("headrace-\(retraining)", bytesMax: 63))
        json.member("labels", "headrace-retraining=\(name(retraining, bytesMax: 63))")
        json.key("parameters")
        json.array { array in for (name, value) in facts { array.string("\(name)=\(value)") } }
      }
    }
  }

  private static func kubeflow(_ facts: Facts, _ retraining: String, pipeline: String) -> String {
    WorkJSON.text { json in
      json.member("display_name", retraining)
      json.key("pipeline_version_reference")
      json.object { $0.member("pipeline_id", pipeline) }
      json.key("runtime_config")
      nest(["parameters"], facts, &json)
    }
  }

  private static func github(_ facts: Facts) -> String {
    WorkJSON.text { json in
      json.member("event_type", "headrace-retraining")
      json.key("client_payload")
      write(facts, to: &json)
    }
  }

  private static func webhook(_ facts: Facts, target: String, cause: String) -> String {
    WorkJSON.text { json in
      json.member("type", "headrace.retraining.requested")
      json.member("target", target)
      json.key("data")
      write(facts, to: &json)
      json.key("cause")
      json.raw(cause.isEmpty ? "null".utf8 : cause.utf8)
    }
  }

  /// As Kubernetes has names (RFC 1123): the end is what tells retrainings apart.
  private static func name(_ text: String, bytesMax: Int) -> String {
    let allowed = text.utf8.map { byte -> UInt8 in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte + 32
      default: UInt8(ascii: "-")
      }
    }
    return String(decoding: allowed.suffix(bytesMax).drop { $0 == UInt8(ascii: "-") }, as: UTF8.self)
  }

  private static func write(_ facts: Facts, to json: inout JSONWriter) {
    json.object { json in for (name, value) in facts { json.member(name, value) } }
  }
}
