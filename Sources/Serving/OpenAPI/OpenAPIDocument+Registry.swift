extension OpenAPIDocument {
  static let registryPaths = #"""
    "/api/registry/models": {
      "get": {
        "operationId": "registeredModels",
        "summary": "Models of the registry with their aliases and newest versions.",
        "responses": {
          "200": {
            "description": "All models.",
            "content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
          },
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/models/{model}": {
      "parameters": [{"name": "model", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {
        "operationId": "registeredModel",
        "summary": "A model's versions with their lineage, what its aliases stood for, who served when, approvals.",
        "responses": {
          "200": {
            "description": "The model.", "content": {"application/json": {"schema": {"type": "object"}}}
          },
          "404": {"$ref": "#/components/responses/Problem"},
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/models/{model}/versions/{version}": {
      "parameters": [
        {"name": "model", "in": "path", "required": true, "schema": {"type": "string"}},
        {
          "name": "version", "in": "path", "required": true, "description": "A number, or an alias.",
          "schema": {"type": "string"}
        }
      ],
      "get": {
        "operationId": "registeredVersion",
        "summary": "A version: code, data, features and metrics of it, its run, who approved it, when it served.",
        "responses": {
          "200": {
            "description": "The version.", "content": {"application/json": {"schema": {"type": "object"}}}
          },
          "404": {"$ref": "#/components/responses/Problem"},
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/runs": {
      "get": {
        "operationId": "runs",
        "summary": "What was trained, from what, and what it was worth; oldest first.",
        "parameters": [{"name": "experiment", "in": "query", "schema": {"type": "string"}}],
        "responses": {
          "200": {
            "description": "Runs.",
            "content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
          },
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/runs/{run}": {
      "parameters": [{"name": "run", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {
        "operationId": "run",
        "summary": "One run with its parameters, data, metrics and artefacts.",
        "responses": {
          "200": {"description": "The run.", "content": {"application/json": {"schema": {"type": "object"}}}},
          "404": {"$ref": "#/components/responses/Problem"},
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/retrainings": {
      "get": {
        "operationId": "retrainings",
        "summary": "Which models are, or were, on their way to the next version; oldest first.",
        "responses": {
          "200": {
            "description": "Retrainings with every step.",
            "content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
          },
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/retrainings/{retraining}": {
      "parameters": [{"name": "retraining", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {
        "operationId": "retraining",
        "summary": "One retraining: its cause and every step.",
        "responses": {
          "200": {"description": "The retraining.", "content": {"application/json": {"schema": {"type": "object"}}}},
          "404": {"$ref": "#/components/responses/Problem"},
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/retrainings/{retraining}/evidence": {
      "parameters": [{"name": "retraining", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {
        "operationId": "retrainingEvidence",
        "summary": "A page for whoever approves: metrics, slices, drift, cost, difference on shadow traffic.",
        "responses": {
          "200": {"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}},
          "404": {"$ref": "#/components/responses/Problem"},
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/retrainings/{retraining}/result": {
      "parameters": [{"name": "retraining", "in": "path", "required": true, "schema": {"type": "string"}}],
      "post": {
        "operationId": "retrainingResult",
        "summary": "Brings back the model file that an orchestrator outside has trained.",
        "security": [{}, {"token": []}],
        "requestBody": {
          "required": true,
          "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        },
        "responses": {
          "200": {"description": "Taken.", "content": {"application/json": {"schema": {"type": "object"}}}},
          "401": {"$ref": "#/components/responses/Problem"},
          "403": {"$ref": "#/components/responses/Problem"},
          "400": {"$ref": "#/components/responses/Problem"},
          "404": {"$ref": "#/components/responses/Problem"},
          "409": {"$ref": "#/components/responses/Problem"},
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/approvals": {
      "get": {
        "operationId": "approvals",
        "summary": "Which versions wait for a person, and who decided what; oldest first.",
        "responses": {
          "200": {
            "description": "Approvals with their evidence.",
            "content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
          },
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/approvals/{approval}": {
      "parameters": [{"name": "approval", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {
        "operationId": "approval",
        "summary": "One approval with its evidence.",
        "responses": {
          "200": {"description": "The approval.", "content": {"application/json": {"schema": {"type": "object"}}}},
          "404": {"$ref": "#/components/responses/Problem"},
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    \#(decision("approve", "Says that the version may have its alias. Whoever asked cannot.")),
    \#(decision("reject", "Says that the version may not have its alias, and why."))
    """#

  private static func decision(_ verb: String, _ summary: String) -> String {
    #"""
    "/api/approvals/{approval}/\#(verb)": {
      "parameters": [{"name": "approval", "in": "path", "required": true, "schema": {"type": "string"}}],
      "post": {
        "operationId": "\#(verb)",
        "summary": "\#(summary)",
        "security": [{}, {"token": []}],
        "requestBody": {
          "required": true,
          "content": {
            "application/json": {
              "schema": {
                "type": "object",
                "properties": {"by": {"type": "string"}, "reason": {"type": "string"}}
              }
            }
          }
        },
        "responses": {
          "200": {
            "description": "Decided, at an offset of the control topic.",
            "content": {"application/json": {"schema": {"type": "object"}}}
          },
          "401": {"$ref": "#/components/responses/Problem"},
          "403": {"$ref": "#/components/responses/Problem"},
          "404": {"$ref": "#/components/responses/Problem"},
          "409": {"$ref": "#/components/responses/Problem"},
          "415": {"$ref": "#/components/responses/Problem"},
          "422": {"$ref": "#/components/responses/Problem"},
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    }
    """#
  }
}
