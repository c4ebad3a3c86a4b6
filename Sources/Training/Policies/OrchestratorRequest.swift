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

  package init(
    _ plan: OrchestratorPlan, retraining: String, policy: String, model: String, dataset: DatasetResult?, cause: String
  ) {
    let facts: [(String, String)] = [
      ("retraining", retraining), ("policy", policy), ("model", model), ("dataset", dataset?.folder ?? ""),
      ("dataset_hash", dataset?.contentHash ?? ""), ("label", "label"),
    ]
    tokenVariable = plan.tokenVariable
    secretVariable = plan.secretVariable
    headers = ["content-type": "application/json"]
    let base = plan.url.hasSuffix("/") ? String(plan.url.dropLast()) : plan.url
    let target = Self.escaped(plan.target)
    switch plan.kind {
    case .airflow:
      url = "\(base)/api/v2/dags/\(target)/dagRuns"
      body = WorkJSON.text { json in
        // The same id again is refused by Airflow: a repeated call begins nothing twice.
        json.member("dag_run_id", "headrace__\(retraining)")
        json.key("logical_date")
        json.null()
        json.key("conf")
        Self.write(facts, to: &json)
      }
    case .dagster:
      url = "\(base)/graphql"
      body = WorkJSON.text { json in
        json.member(
          "query",
          "mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename "
            + "... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }")
        json.key("variables")
        json.object { json in
          json.key("params")
          json.object { json in
            json.key("selector")
            json.object { $0.member("jobName", plan.target) }
            json.key("runConfigData")
            json.object { json in
              json.key("ops")
              json.object { json in
                json.key("headrace")
                json.object { json in
                  json.key("config")
                  Self.write(facts, to: &json)
                }
              }
            }
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
    case .prefect:
      url = "\(base)/api/deployments/\(target)/create_flow_run"
      body = WorkJSON.text { json in
        json.member("name", retraining)
        json.member("idempotency_key", retraining)
        json.key("parameters")
        Self.write(facts, to: &json)
        json.key("tags")
        json.array { $0.string("headrace") }
      }
    case .argo:
      url = "\(base)/api/v1/workflows/\(Self.escaped(plan.namespace ?? "default"))/submit"
      body = WorkJSON.text { json in
        json.member("resourceKind", "WorkflowTemplate")
        json.member("resourceName", plan.target)
        json.key("submitOptions")
        json.object { json in
          json.member("labels", "headrace-retraining=\(retraining)")
          json.key("parameters")
          json.array { array in for (name, value) in facts { array.string("\(name)=\(value)") } }
        }
      }
    case .kubeflow:
      url = "\(base)/apis/v2beta1/runs"
      body = WorkJSON.text { json in
        json.member("display_name", retraining)
        json.key("pipeline_version_reference")
        json.object { $0.member("pipeline_id", plan.target) }
        json.key("runtime_config")
        json.object { json in
          json.key("parameters")
          Self.write(facts, to: &json)
        }
      }
    case .github:
      url = "\(base)/repos/\(plan.target)/dispatches"
      headers["accept"] = "application/vnd.github+json"
      body = WorkJSON.text { json in
        json.member("event_type", "headrace-retraining")
        json.key("client_payload")
        Self.write(facts, to: &json)
      }
    case .webhook:
      url = plan.url
      body = WorkJSON.text { json in
        json.member("type", "headrace.retraining.requested")
        json.member("target", plan.target)
        json.key("data")
        Self.write(facts, to: &json)
        json.key("cause")
        json.raw(cause.isEmpty ? "null".utf8 : cause.utf8)
      }
    }
  }

  private static func write(_ facts: [(String, String)], to json: inout JSONWriter) {
    json.object { json in for (name, value) in facts { json.member(name, value) } }
  }

  /// One part of a path (RFC 3986).
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        escaped.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        escaped += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
      }
    }
    return escaped
  }
}
