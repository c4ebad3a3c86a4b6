internal import Core
package import Topology

/// What an orchestrator is asked: its own address, its own JSON, and in it what a pipeline needs to bring a model back.
///
/// Airflow: `POST /api/v2/dags/{dag_id}/dagRuns`; Dagster: GraphQL `launchRun`; Prefect: `POST
/// /api/deployments/{id}/create_flow_run`; Argo Workflows: `POST /api/v1/workflows/{namespace}/submit`; Kubeflow
/// Pipelines: `POST /apis/v2beta1/runs`; GitHub: `POST /repos/{owner}/{repo}/dispatches`.
package struct OrchestratorRequest: Sendable, Equatable {
  package var url: String
  package var body: String
  /// Beside those of every request; without the token.
  package var headers: [String: String]
  package var tokenVariable: String?
  package var secretVariable: String?
  /// How it answers who asks again under the same id, as somebody does who died before he could note that he had asked.
  package var repeatedStatus: Int?

  package init(
    _ plan: OrchestratorPlan, retraining: String, policy: String, model: String, dataset: DatasetResult?, cause: String
  ) {
    let facts: Facts = [
      ("retraining", retraining), ("policy", policy), ("model", model), ("dataset", dataset?.folder ?? ""),
      ("dataset_hash", dataset?.contentHash ?? ""), ("label", "label"),
    ]
    tokenVariable = plan.tokenVariable
    secretVariable = plan.secretVariable
    headers = ["content-type": "application/json"]
    repeatedStatus = plan.kind == .airflow ? 409 : nil
    if plan.kind == .github { headers["accept"] = "application/vnd.github+json" }
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
    case .prefect: "\(base)/api/deployments/\(target)/create_flow_run"
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
          + "... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }")
      json.key("variables")
      json.object { json in
        json.key("params")
        json.object { json in
          json.key("selector")
          json.object { $0.member("jobName", job) }
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
        json.member("labels", "headrace-retraining=\(retraining)")
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

  private static func write(_ facts: Facts, to json: inout JSONWriter) {
    json.object { json in for (name, value) in facts { json.member(name, value) } }
  }
}
