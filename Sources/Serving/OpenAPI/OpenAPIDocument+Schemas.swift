extension OpenAPIDocument {
  static let requestSchemas = #"""
    "FeatureRequest": {
      "type": "object",
      "required": ["entities"],
      "properties": {
        "entities": {
          "description": "Join keys, and request fields of on-demand features, by column; all of one length.",
          "type": "object",
          "additionalProperties": {"type": "array", "maxItems": 1000}
        },
        "features": {
          "description": "view:feature, view:*, request:field, or the name of an on-demand feature.",
          "type": "array",
          "items": {"type": "string"},
          "maxItems": 500
        },
        "feature_service": {"description": "In place of features.", "type": "string"},
        "full_feature_names": {
          "description": "Whether names are view__feature.",
          "type": "boolean",
          "default": false
        },
        "include_feature_view_version_metadata": {"type": "boolean", "default": false},
        "as_of": {
          "description": "Addition. When windows end: epoch milliseconds, RFC 3339, 'latest' (the watermark) or \#
    'now'.",
          "oneOf": [{"type": "integer"}, {"type": "string"}],
          "default": "now"
        },
        "min_offset": {
          "description": "Addition. topic:partition:offset of records that have to be applied first.",
          "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
        },
        "wait_ms": {"description": "Addition. How long to wait for min_offset.", "type": "integer", "minimum": 0}
      }
    },
    "PushRequest": {
      "type": "object",
      "required": ["push_source_name", "df"],
      "properties": {
        "push_source_name": {"description": "A source of the topology.", "type": "string"},
        "df": {"$ref": "#/components/schemas/Frame"},
        "to": {
          "description": "All the same to a log.",
          "enum": ["online", "offline", "online_and_offline"],
          "default": "online"
        }
      }
    },
    "WriteRequest": {
      "type": "object",
      "required": ["feature_view_name", "df"],
      "properties": {
        "feature_view_name": {"description": "A view, whose source gets the rows, or a source.", "type": "string"},
        "df": {"$ref": "#/components/schemas/Frame"}
      }
    },
    "Frame": {
      "description": "Fields of events by column, all of one length. event_timestamp becomes the source's event \#
    time if the frame does not have it; without a zone it is UTC.",
      "type": "object",
      "additionalProperties": {"type": "array", "maxItems": 10000}
    }
    """#

  static let answerSchemas = #"""
    "FeatureAnswer": {
      "type": "object",
      "required": ["results", "metadata"],
      "properties": {
        "results": {
          "type": "array",
          "items": {
            "type": "object",
            "required": ["values", "statuses", "event_timestamps"],
            "properties": {
              "values": {
                "description": "One for each entity. Doubles always have a point; NaN and infinities are \#
    strings; timestamps are whole seconds.",
                "type": "array"
              },
              "statuses": {
                "type": "array",
                "items": {"enum": ["PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE"]}
              },
              "event_timestamps": {
                "description": "Of the newest event of the row; 1970 where there is none.",
                "type": "array",
                "items": {"type": "string", "format": "date-time"}
              }
            }
          }
        },
        "metadata": {
          "type": "object",
          "required": ["feature_names"],
          "properties": {
            "feature_names": {"description": "Join keys first.", "type": "array", "items": {"type": "string"}}
          }
        },
        "headrace": {
          "description": "Addition, where the request had one.",
          "type": "object",
          "properties": {
            "read_at": {"description": "When windows ended.", "type": "string", "format": "date-time"},
            "tile": {
              "description": "Values are exact to the tile that read_at lies in, not to the millisecond.",
              "type": "boolean"
            },
            "approximate": {"description": "A topk met more values than it counts exactly.", "type": "boolean"},
            "watermark": {
              "description": "The oldest watermark of the partitions that were read.",
              "type": "string",
              "format": "date-time"
            },
            "watermark_age_ms": {"type": "integer"}
          }
        }
      }
    },
    "ValidationFaults": {
      "type": "object",
      "required": ["detail"],
      "properties": {
        "detail": {
          "type": "array",
          "items": {
            "type": "object",
            "required": ["type", "loc", "msg"],
            "properties": {
              "type": {"type": "string"},
              "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
              "msg": {"type": "string"},
              "input": {},
              "ctx": {"type": "object"}
            }
          }
        }
      }
    },
    "Problem": {
      "type": "object",
      "required": ["type", "status", "code", "detail"],
      "properties": {
        "type": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "place": {"type": "string"},
        "remedy": {"type": "string"}
      }
    }
    """#

  static let statusSchemas = #"""
    "Views": {
      "type": "object",
      "properties": {
        "views": {
          "type": "array",
          "items": {
            "type": "object",
            "properties": {
              "name": {"type": "string"},
              "entity": {"type": "string"},
              "join_keys": {"type": "array", "items": {"type": "string"}},
              "source": {"type": ["string", "null"]},
              "ttl_seconds": {"type": ["number", "null"]},
              "repartitioned": {"type": "boolean"},
              "fingerprint": {"type": "string"},
              "features": {
                "type": "array",
                "items": {
                  "type": "object",
                  "properties": {
                    "name": {"type": "string"},
                    "type": {"type": "string"},
                    "definition": {"type": "string"}
                  }
                }
              }
            }
          }
        }
      }
    },
    "Topology": {
      "type": "object",
      "properties": {
        "topology": {"type": "string"},
        "fingerprint": {"type": "string"},
        "sources": {"type": "array", "items": {"type": "object"}},
        "entities": {"type": "array", "items": {"type": "object"}},
        "views": {"type": "array", "items": {"type": "string"}},
        "request_fields": {"type": "array", "items": {"type": "object"}},
        "on_demand": {"type": "array", "items": {"type": "object"}},
        "services": {"type": "array", "items": {"type": "object"}}
      }
    },
    "Parity": {
      "type": "object",
      "properties": {
        "sampling": {"type": "boolean"},
        "sampled_vectors": {"type": "integer"},
        "dropped_vectors": {"type": "integer"},
        "waiting_vectors": {"description": "The archive does not have their records yet.", "type": "integer"},
        "uncertain_values": {"type": "integer"},
        "failure": {"type": ["string", "null"]},
        "features": {"type": "array", "items": {"type": "object"}},
        "last_mismatches": {"type": "array", "items": {"type": "object"}}
      }
    },
    "Tasks": {
      "type": "object",
      "properties": {
        "tasks": {
          "type": "array",
          "items": {
            "type": "object",
            "properties": {
              "partition": {"type": "integer"},
              "state": {"enum": ["starting", "restoring", "running", "stopped"]},
              "readable": {"type": "boolean"},
              "watermark": {"type": ["string", "null"], "format": "date-time"},
              "lag_seconds": {
                "description": "Event time between the task and the end of its log.",
                "type": ["number", "null"]
              },
              "checkpoint_age_seconds": {"type": ["number", "null"]},
              "snapshot_lag_seconds": {
                "description": "How much older the newest snapshot is than the newest checkpoint.",
                "type": ["number", "null"]
              },
              "snapshot_failure": {"type": ["string", "null"]},
              "why_not_moving": {"type": ["string", "null"]},
              "plan": {"type": "string"},
              "building": {
                "type": "array",
                "items": {
                  "type": "object",
                  "properties": {
                    "view": {"type": "string"},
                    "position": {"type": "integer"},
                    "target": {"type": "integer"}
                  }
                }
              },
              "inputs": {
                "type": "array",
                "items": {
                  "type": "object",
                  "properties": {
                    "topic": {"type": "string"},
                    "partition": {"type": "integer"},
                    "position": {"type": "integer"},
                    "state_offset": {"type": ["integer", "null"]},
                    "committed_offset": {"type": ["integer", "null"]},
                    "end_offset": {"type": ["integer", "null"]},
                    "lag_records": {"type": ["integer", "null"]}
                  }
                }
              }
            }
          }
        },
        "sources": {
          "description": "read = applied + repaired + filtered + deduplicated + late + dead_lettered, always.",
          "type": "array",
          "items": {
            "type": "object",
            "properties": {
              "name": {"type": "string"},
              "topic": {"type": "string"},
              "read": {"type": "integer"},
              "applied": {"type": "integer"},
              "repaired": {"type": "integer"},
              "filtered": {"type": "integer"},
              "deduplicated": {"type": "integer"},
              "late": {"type": "integer"},
              "dead_lettered": {"type": "integer"},
              "misplaced": {"type": "integer"},
              "without_entity": {"type": "integer"}
            }
          }
        },
        "tables": {
          "description": "What waits in this process for each table that it writes: archives and histories.",
          "type": "array",
          "items": {
            "type": "object",
            "properties": {
              "name": {"type": "string"},
              "waiting_rows": {"type": "integer"},
              "oldest_waiting_ms": {"type": "integer"},
              "published_rows": {"type": "integer"},
              "failures": {"type": "integer"},
              "last_failure": {"type": ["string", "null"]}
            }
          }
        }
      }
    },
    "Cost": {
      "type": "object",
      "properties": {
        "usage": {"type": "object"},
        "batch_sizes": {"type": "array", "items": {"type": "object"}},
        "features": {"type": "array", "items": {"type": "object"}},
        "events": {"type": "array", "items": {"type": "object"}}
      }
    },
    "Drift": {
      "type": "object",
      "properties": {"monitors": {"type": "array", "items": {"type": "object"}}}
    },
    "Usefulness": {
      "type": "object",
      "properties": {
        "useful": {"type": "boolean"},
        "models": {"type": "array", "items": {"type": "object"}}
      }
    },
    "Readiness": {
      "type": "object",
      "properties": {
        "ready": {"type": "boolean"},
        "failure": {"type": ["string", "null"]},
        "not_readable": {"type": "array", "items": {"type": "object"}},
        "not_moving": {"type": "array", "items": {"type": "object"}}
      }
    }
    """#
}
