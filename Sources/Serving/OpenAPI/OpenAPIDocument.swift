/// What the server speaks, as OpenAPI 3.1. Written by hand; a test holds it against `Route` and `InferenceRoute`.
package enum OpenAPIDocument {
  package static let text =
    "{" + head + ",\"paths\":{" + featurePaths + "," + inferencePaths + "," + registryPaths + ","
    + insightPaths + "," + statusPaths
    + "},\"components\":{\"schemas\":{" + requestSchemas + "," + answerSchemas + "," + inferenceSchemas + ","
    + statusSchemas + "," + sessionSchemas + "},\"securitySchemes\":{" + securitySchemes + "},\"responses\":{"
    + responses + "," + inferenceResponses + "}}}"

  private static let head = #"""
    "openapi": "3.1.0",
    "info": {
      "title": "Headrace",
      "version": "2",
      "summary": "Features from events, as Feast 0.67 serves them, and how the work is going.",
      "description": "The addresses without /api are those of Feast's feature server: its clients work \#
    unchanged. Additions to their bodies are marked. Below /v2 is the Open Inference Protocol, whose clients work \#
    unchanged too."
    },
    "servers": [{"url": "http://127.0.0.1:6566"}]
    """#

  private static let responses = #"""
    "FeastException": {
      "description": "What Feast's clients raise on their side: a JSON string that holds JSON with module, class \#
    and message.",
      "content": {"application/json": {"schema": {"type": "string"}}}
    },
    "ValidationError": {
      "description": "What is wrong with the body, as FastAPI words it; or an exception of Feast.",
      "content": {
        "application/json": {
          "schema": {"oneOf": [{"$ref": "#/components/schemas/ValidationFaults"}, {"type": "string"}]}
        }
      }
    },
    "Unavailable": {
      "description": "Nothing is wrong with the request: ask again after Retry-After seconds.",
      "headers": {"Retry-After": {"schema": {"type": "integer"}}},
      "content": {"application/json": {"schema": {"type": "string"}}}
    },
    "Problem": {
      "description": "Why it was not served (RFC 9457).",
      "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    }
    """#
}
