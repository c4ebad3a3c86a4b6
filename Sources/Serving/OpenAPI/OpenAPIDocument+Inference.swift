extension OpenAPIDocument {
  private static let asTheProtocolHasIt =
    #"{"200": {"description": "As the protocol has it.", "content": {"application/json": {}}}}"#

  private static let modelParameter =
    #"{"name": "model", "in": "path", "required": true, "schema": {"type": "string"}}"#

  private static let versionParameter = #"""
    {"name": "version", "in": "path", "required": true, "description": "A number, or an alias such as champion.", \#
    "schema": {"type": "string"}}
    """#

  private static let metadataResponses = #"""
    {
      "200": {
        "description": "As the protocol has it.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ModelMetadata"}}}
      },
      "404": {"$ref": "#/components/responses/InferenceError"}
    }
    """#

  private static let readyResponses = #"""
    {
      "200": {"description": "It does.", "content": {"application/json": {"schema": {"type": "object"}}}},
      "404": {"$ref": "#/components/responses/InferenceError"}
    }
    """#

  /// A request, as JSON or with binary tensors.
  private static let inferenceBody = #"""
    {
      "required": true,
      "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/InferenceRequest"}},
        "application/octet-stream": {
          "schema": {"type": "string", "description": "The JSON, as long as Inference-Header-Content-Length says, \#
    then the binary tensors."}
        }
      }
    }
    """#

  /// What an inference request is answered with.
  private static let inferenceAnswers = #"""
    {
      "200": {
        "description": "What the model's own library would predict.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/InferenceAnswer"}}}
      },
      "400": {"$ref": "#/components/responses/InferenceError"},
      "404": {"$ref": "#/components/responses/InferenceError"},
      "413": {"$ref": "#/components/responses/InferenceError"},
      "503": {"$ref": "#/components/responses/InferenceError"},
      "504": {"$ref": "#/components/responses/InferenceError"}
    }
    """#

  static let inferencePaths = #"""
    "/v2": {
      "get": {
        "operationId": "inferenceServer",
        "summary": "Name, version and extensions of the server.",
        "responses": \#(asTheProtocolHasIt)
      }
    },
    "/v2/health/live": {
      "get": {
        "operationId": "inferenceLive",
        "summary": "Whether the process answers.",
        "responses": \#(asTheProtocolHasIt)
      }
    },
    "/v2/health/ready": {
      "get": {
        "operationId": "inferenceReady",
        "summary": "Whether requests are taken.",
        "responses": \#(asTheProtocolHasIt)
      }
    },
    "/v2/repository/index": {
      "post": {
        "operationId": "modelIndex",
        "summary": "Every version of every model.",
        "responses": \#(asTheProtocolHasIt)
      }
    },
    "/v2/models/{model}": {
      "parameters": [\#(modelParameter)],
      "get": {
        "operationId": "modelMetadata",
        "summary": "Versions, inputs and outputs of a model.",
        "responses": \#(metadataResponses)
      }
    },
    "/v2/models/{model}/ready": {
      "parameters": [\#(modelParameter)],
      "get": {
        "operationId": "modelReady",
        "summary": "Whether a model answers.",
        "responses": \#(readyResponses)
      }
    },
    "/v2/models/{model}/infer": {
      "parameters": [\#(modelParameter)],
      "post": {
        "operationId": "infer",
        "summary": "Scores of rows: the champion, or the newest version without one.",
        "requestBody": \#(inferenceBody),
        "responses": \#(inferenceAnswers)
      }
    },
    "/v2/models/{model}/versions/{version}": {
      "parameters": [\#(modelParameter), \#(versionParameter)],
      "get": {
        "operationId": "modelVersionMetadata",
        "summary": "Versions, inputs and outputs of a model.",
        "responses": \#(metadataResponses)
      }
    },
    "/v2/models/{model}/versions/{version}/ready": {
      "parameters": [\#(modelParameter), \#(versionParameter)],
      "get": {
        "operationId": "modelVersionReady",
        "summary": "Whether a model answers.",
        "responses": \#(readyResponses)
      }
    },
    "/v2/models/{model}/versions/{version}/infer": {
      "parameters": [\#(modelParameter), \#(versionParameter)],
      "post": {
        "operationId": "inferVersion",
        "summary": "Scores of rows.",
        "requestBody": \#(inferenceBody),
        "responses": \#(inferenceAnswers)
      }
    }
    """#

  static let inferenceSchemas = #"""
    "InferenceRequest": {
      "type": "object",
      "required": ["inputs"],
      "description": "One input: the matrix of features, [rows, features] in the model's order. Or, of a model in a \#
    topology, the join keys of its service's views, one input of shape [rows] for each, named as the key, and one for \#
    each value that the service takes from requests: the features are looked up.",
      "properties": {
        "id": {"type": "string"},
        "inputs": {"type": "array", "items": {"$ref": "#/components/schemas/Tensor"}},
        "outputs": {"type": "array", "maxItems": 1, "items": {"type": "object"}},
        "parameters": {"type": "object", "properties": {"binary_data_output": {"type": "boolean"}}}
      }
    },
    "Tensor": {
      "type": "object",
      "required": ["name", "datatype", "shape"],
      "properties": {
        "name": {"type": "string"},
        "datatype": {
          "enum": ["FP16", "BF16", "FP32", "FP64", "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", \#
    "UINT32", "UINT64", "BYTES"]
        },
        "shape": {"type": "array", "items": {"type": "integer"}},
        "data": {"type": "array", "description": "Row by row, flat or nested; null is a missing value."},
        "parameters": {"type": "object", "properties": {"binary_data_size": {"type": "integer"}}}
      }
    },
    "InferenceAnswer": {
      "type": "object",
      "properties": {
        "model_name": {"type": "string"},
        "model_version": {"type": "string"},
        "id": {"type": "string"},
        "outputs": {"type": "array", "items": {"$ref": "#/components/schemas/Tensor"}}
      }
    },
    "ModelMetadata": {
      "type": "object",
      "properties": {
        "name": {"type": "string"},
        "versions": {"type": "array", "items": {"type": "string"}},
        "platform": {"type": "string"},
        "inputs": {"type": "array", "items": {"type": "object"}},
        "outputs": {"type": "array", "items": {"type": "object"}}
      }
    }
    """#

  static let inferenceResponses = #"""
    "InferenceError": {
      "description": "What is wrong, as the protocol words it.",
      "content": {
        "application/json": {"schema": {"type": "object", "properties": {"error": {"type": "string"}}}}
      }
    }
    """#
}
