extension OpenAPIDocument {
  static let featurePaths = #"""
    "/get-online-features": {
      "post": {
        "operationId": "getOnlineFeatures",
        "summary": "Values of features for entities.",
        "requestBody": {
          "required": true,
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/FeatureRequest"}}}
        },
        "responses": {
          "200": {
            "description": "One result for each name in metadata.feature_names.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/FeatureAnswer"}}}
          },
          "404": {"$ref": "#/components/responses/FeastException"},
          "413": {"$ref": "#/components/responses/FeastException"},
          "421": {"$ref": "#/components/responses/FeastException"},
          "422": {"$ref": "#/components/responses/ValidationError"},
          "429": {"$ref": "#/components/responses/Unavailable"},
          "503": {"$ref": "#/components/responses/Unavailable"},
          "504": {"$ref": "#/components/responses/FeastException"}
        }
      }
    },
    "/push": {
      "post": {
        "operationId": "push",
        "summary": "Writes events into a source's topic, all of them or none, after holding them against the \#
    contract.",
        "requestBody": {
          "required": true,
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PushRequest"}}}
        },
        "responses": {
          "200": {
            "description": "Acknowledged; no body.",
            "headers": {
              "headrace-offsets": {
                "description": "topic:partition:offset of the last event in each partition, for min_offset.",
                "schema": {"type": "string"}
              }
            }
          },
          "403": {"$ref": "#/components/responses/FeastException"},
          "413": {"$ref": "#/components/responses/FeastException"},
          "422": {"$ref": "#/components/responses/ValidationError"},
          "429": {"$ref": "#/components/responses/Unavailable"},
          "503": {"$ref": "#/components/responses/Unavailable"}
        }
      }
    },
    "/write-to-online-store": {
      "post": {
        "operationId": "writeToOnlineStore",
        "summary": "What Feast's remote online store calls for push and write_to_online_store: the rows are \#
    events of the view's source.",
        "requestBody": {
          "required": true,
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/WriteRequest"}}}
        },
        "responses": {
          "200": {"description": "Acknowledged.", "content": {"application/json": {"schema": {"type": "null"}}}},
          "403": {"$ref": "#/components/responses/FeastException"},
          "404": {"$ref": "#/components/responses/FeastException"},
          "413": {"$ref": "#/components/responses/FeastException"},
          "422": {"$ref": "#/components/responses/ValidationError"},
          "429": {"$ref": "#/components/responses/Unavailable"},
          "503": {"$ref": "#/components/responses/Unavailable"}
        }
      }
    },
    "/health": {
      "get": {
        "operationId": "health",
        "summary": "Feast's: whether features can be read.",
        "responses": {
          "200": {"description": "They can; no body."},
          "503": {"description": "They cannot; no body."}
        }
      }
    }
    """#

  static let statusPaths = #"""
    "/api/views": {
      "get": {
        "operationId": "views",
        "summary": "Views with their features.",
        "responses": {
          "200": {
            "description": "All views.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Views"}}}
          },
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/topology": {
      "get": {
        "operationId": "topology",
        "summary": "Sources, entities, views, on-demand features and services by name.",
        "responses": {
          "200": {
            "description": "The topology.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Topology"}}}
          },
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/rows": {
      "post": {
        "operationId": "rows",
        "summary": "Rows of this worker's own tasks, for other workers of the topology; the body is theirs to know.",
        "requestBody": {
          "required": true,
          "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        },
        "responses": {
          "200": {
            "description": "A row for each that was asked for.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
          },
          "400": {"$ref": "#/components/responses/Problem"},
          "421": {"$ref": "#/components/responses/Problem"},
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/tasks": {
      "get": {
        "operationId": "tasks",
        "summary": "How far the work of each partition number is, and why it does not move if it does not.",
        "responses": {
          "200": {
            "description": "All tasks of this process.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tasks"}}}
          },
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/parity": {
      "get": {
        "operationId": "parity",
        "summary": "How samples of served values compare with what their records give, made again from the archive.",
        "responses": {
          "200": {
            "description": "Counts by feature and cause, and the last mismatches.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Parity"}}}
          },
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/models": {
      "get": {
        "operationId": "models",
        "summary": "Which versions of the models score the events, and what rollouts under way have come to.",
        "responses": {
          "200": {
            "description": "Versions by model; figures, gates and verdict by rollout.",
            "content": {
              "application/json": {
                "schema": {
                  "type": "object",
                  "properties": {
                    "position": {"type": "integer"},
                    "trouble": {"type": ["string", "null"]},
                    "models": {"type": "array", "items": {"type": "object"}},
                    "rollouts": {"type": "array", "items": {"type": "object"}}
                  }
                }
              }
            }
          },
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/cost": {
      "get": {
        "operationId": "cost",
        "summary": "What this process used since it started, by operator, source, view, model and table.",
        "responses": {
          "200": {
            "description": "Usage, sizes of batches, use of features, budgets that are or will be exceeded.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Cost"}}}
          },
          "404": {"description": "Nobody counts."},
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/drift": {
      "get": {
        "operationId": "drift",
        "summary": "Alarms of monitors that are open, and the newest digest, as far as this process runs the monitors.",
        "responses": {
          "200": {
            "description": "For each monitor its open alarms with their newest and worst evidence.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Drift"}}}
          },
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/usefulness": {
      "get": {
        "operationId": "usefulness",
        "summary": "Whether each model keeps its budgets of drift, accuracy and freshness.",
        "responses": {
          "200": {
            "description": "They do, as far as anybody knows.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Usefulness"}}}
          },
          "503": {
            "description": "One is overspent.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Usefulness"}}}
          }
        }
      }
    },
    "/livez": {
      "get": {
        "operationId": "live",
        "summary": "Whether the process answers.",
        "responses": {
          "200": {
            "description": "It does.",
            "content": {
              "application/json": {"schema": {"type": "object", "properties": {"live": {"type": "boolean"}}}}
            }
          }
        }
      }
    },
    "/readyz": {
      "get": {
        "operationId": "ready",
        "summary": "Whether all tasks can be read and move, or have nothing to do.",
        "responses": {
          "200": {
            "description": "They do.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Readiness"}}}
          },
          "503": {
            "description": "Which do not, and why.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Readiness"}}}
          }
        }
      }
    },
    "/metrics": {
      "get": {
        "operationId": "metrics",
        "summary": "Prometheus text.",
        "responses": {
          "200": {"description": "All metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}}
        }
      }
    },
    "/openapi.json": {
      "get": {
        "operationId": "openAPI",
        "summary": "This document.",
        "responses": {
          "200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}},
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    }
    """#
}
