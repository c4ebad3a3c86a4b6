extension OpenAPIDocument {
  /// Who is logged in, what monitors have found, explanations, costs with prices.
  static let insightPaths = #"""
    "/api/session": {
      "get": {
        "operationId": "session",
        "summary": "Who the caller is by the token sent along, and what they may do.",
        "security": [{}, {"token": []}],
        "responses": {
          "200": {
            "description": "mode: token (an access file decides), local (whoever is on this machine) or read_only.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Session"}}}
          },
          "401": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/monitors": {
      "get": {
        "operationId": "monitors",
        "summary": "The topology's monitors with the last figures of those that run in this process.",
        "responses": {
          "200": {
            "description": "Monitors.", "content": {"application/json": {"schema": {"type": "object"}}}
          },
          "404": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/monitors/{monitor}": {
      "parameters": [{"name": "monitor", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {
        "operationId": "monitorHistory",
        "summary": "The newest windows of each feature and metric, and the newest alarms with evidence and cause.",
        "responses": {
          "200": {"description": "The history.", "content": {"application/json": {"schema": {"type": "object"}}}},
          "404": {"$ref": "#/components/responses/Problem"},
          "503": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    \#(monitorDecision("acknowledge", "What the monitor sees is right: its reference begins anew.", ["at": "integer"])),
    \#(monitorDecision(
      "silence", "Alarms do not ring for a while; they are noted all the same.",
      ["feature": "string", "from": "integer", "until": "integer"])),
    "/api/explain/{view}": {
      "parameters": [{"name": "view", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {
        "operationId": "explainFeatures",
        "summary": "The records that make the features of a key what they are, applied again and compared.",
        "parameters": [
          {
            "name": "key", "in": "query", "required": true, "description": "One for each join key, in their order.",
            "schema": {"type": "array", "items": {"type": "string"}}
          },
          {
            "name": "at", "in": "query", "required": true, "description": "Epoch milliseconds, or RFC 3339.",
            "schema": {"type": "string"}
          },
          {
            "name": "feature", "in": "query", "description": "Only these; else all.",
            "schema": {"type": "array", "items": {"type": "string"}}
          }
        ],
        "responses": {
          "200": {"description": "The explanation.", "content": {"application/json": {"schema": {"type": "object"}}}},
          "404": {"$ref": "#/components/responses/Problem"},
          "422": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/cost/report": {
      "get": {
        "operationId": "costReport",
        "summary": "What the process used, what that cost where prices are known, and what would cost less.",
        "responses": {
          "200": {"description": "The report.", "content": {"application/json": {"schema": {"type": "object"}}}},
          "404": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    \#(aliasDecision("promote", "Lets a version answer, from the next commit of every task on.", "version")),
    \#(aliasDecision("rollback", "Ends a canary, or lets the version before answer again.", "to"))
    """#

  static let sessionSchemas = #"""
    "Session": {
      "type": "object",
      "required": ["mode", "reading", "principal", "roles", "reason"],
      "properties": {
        "mode": {"enum": ["token", "local", "read_only"]},
        "reading": {"enum": ["open", "token"]},
        "principal": {"type": ["string", "null"]},
        "roles": {"type": "array", "items": {"enum": ["viewer", "operator", "approver"]}},
        "reason": {"type": ["string", "null"], "description": "Why nobody decides here."}
      }
    }
    """#

  /// Tokens of the access file.
  static let securitySchemes = #"""
    "token": {
      "type": "http", "scheme": "bearer",
      "description": "Of a principal of the access file (--access). Requests that decide something need the role."
    }
    """#

  private static func monitorDecision(_ verb: String, _ summary: String, _ fields: [String: String]) -> String {
    decision("/api/monitors/{monitor}/\(verb)", ["monitor"], verb + "Monitor", summary, fields)
  }

  private static func aliasDecision(_ verb: String, _ summary: String, _ version: String) -> String {
    decision(
      "/api/models/{model}/aliases/{alias}/\(verb)", ["model", "alias"], verb, summary,
      [version: "integer", "expected": "integer"])
  }

  private static func decision(
    _ path: String, _ names: [String], _ operation: String, _ summary: String, _ fields: [String: String]
  ) -> String {
    let parameters = names.map {
      #"{"name": "\#($0)", "in": "path", "required": true, "schema": {"type": "string"}}"#
    }
    let properties = (fields.sorted { $0.key < $1.key } + [("by", "string"), ("reason", "string")]).map {
      #""\#($0)": {"type": "\#($1)"}"#
    }
    return #"""
      "\#(path)": {
        "parameters": [\#(parameters.joined(separator: ", "))],
        "post": {
          "operationId": "\#(operation)",
          "summary": "\#(summary)",
          "security": [{}, {"token": []}],
          "requestBody": {
            "required": true,
            "content": {
              "application/json": {
                "schema": {
                  "type": "object", "required": ["reason"], "properties": {\#(properties.joined(separator: ", "))}
                }
              }
            }
          },
          "responses": {
            "200": {"description": "Done.", "content": {"application/json": {"schema": {"type": "object"}}}},
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
