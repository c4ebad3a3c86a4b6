// Every address that the console calls, and every field that it reads of the answers: the one list of them.
//
// `server.js` lets nothing else through, so that what the pages read and what is tested cannot differ. Types: "string",
// "number", "boolean", "any"; "?" behind a type or a name: it may be null or missing; {"*": …}: members of any name.
export const contract = {
  "session": {
    "method": "GET", "path": "/api/session",
    "answer": {
      "mode": "string", "reading": "string", "principal": "string?", "roles": ["string"], "reason": "string?"
    }
  },
  "topology": {
    "method": "GET", "path": "/api/topology",
    "answer": {
      "topology": "string", "fingerprint": "string", "sources": [{"name": "string", "topic": "string"}],
      "request_fields": [{"name": "string", "type": "string"}],
      "services": [{"name": "string", "features": [{"name": "string", "reference": "string"}]}]
    }
  },
  "views": {
    "method": "GET", "path": "/api/views",
    "answer": {
      "views": [{
        "name": "string", "entity": "string", "join_keys": ["string"], "source": "string?", "ttl_seconds": "number?",
        "repartitioned": "boolean", "features": [{"name": "string", "type": "string", "definition": "string"}]
      }]
    }
  },
  "tasks": {
    "method": "GET", "path": "/api/tasks",
    "answer": {
      "tasks": [{
        "partition": "number", "state": "string", "readable": "boolean", "watermark": "string?",
        "lag_seconds": "number?", "checkpoint_age_seconds": "number?", "why_not_moving": "string?",
        "building": [{"view": "string", "position": "number", "target": "number"}],
        "inputs": [{
          "topic": "string", "partition": "number", "position": "number", "state_offset": "number?",
          "committed_offset": "number?", "end_offset": "number?", "lag_records": "number?"
        }]
      }],
      "sources": [{
        "name": "string", "topic": "string", "read": "number", "applied": "number", "repaired": "number",
        "filtered": "number", "deduplicated": "number", "late": "number", "dead_lettered": "number",
        "misplaced": "number"
      }],
      "tables": [{
        "name": "string", "waiting_rows": "number", "oldest_waiting_ms": "number", "published_rows": "number",
        "failures": "number", "last_failure": "string?"
      }]
    }
  },
  "ready": {
    "method": "GET", "path": "/readyz", "statuses": [200, 503],
    "answer": {
      "ready": "boolean", "failure": "string?", "not_readable": [{"partition": "number", "state": "string"}],
      "not_moving": [{"partition": "number", "why": "string"}]
    }
  },
  "usefulness": {
    "method": "GET", "path": "/usefulness", "statuses": [200, 503],
    "answer": {
      "useful": "boolean",
      "models": [{
        "model": "string", "useful": "boolean",
        "freshness": [{"name": "string", "value": "number?", "limit": "number?", "limit_is": "string", "kept": "boolean?"}],
        "drift": [{"name": "string", "value": "number?", "limit": "number?", "limit_is": "string", "kept": "boolean?"}],
        "accuracy": [{"name": "string", "value": "number?", "limit": "number?", "limit_is": "string", "kept": "boolean?"}]
      }]
    }
  },
  "features": {
    "method": "POST", "path": "/get-online-features",
    "answer": {
      "metadata": {"feature_names": ["string"]},
      "results": [{"values": ["any"], "statuses": ["string"], "event_timestamps": ["string"]}],
      "headrace": {
        "read_at": "string", "tile": "boolean", "approximate": "boolean", "watermark?": "string",
        "watermark_age_ms?": "number"
      }
    }
  },
  "explain": {
    "method": "GET", "path": "/api/explain/{view}",
    "answer": {
      "view": "string", "topic": "string", "records": "number", "table_version": "number", "at": "number",
      "features": [{
        "name": "string", "value": "any", "status": "string", "window?": "string", "from?": "number", "to?": "number",
        "offsets": [["number"]], "repaired": [["number"]], "late": [["number"]], "newer_records": "boolean",
        "verified": "boolean"
      }]
    }
  },
  "running": {
    "method": "GET", "path": "/api/models",
    "answer": {
      "trouble": "string?",
      "models": [{
        "name": "string", "use": "string?", "version": "number?", "content_hash": "string?", "challenger": "number?",
        "challenger_kind": "string?", "share_per_mille": "number?",
        "shadows": [{"version": "number?", "content_hash": "string?"}]
      }],
      "rollouts": [{
        "model": "string", "alias": "string", "kind": "string", "version": "number", "champion": "number",
        "share_per_mille": "number", "began": "string?",
        "champion_arm": {
          "predictions": "number", "failures": "number", "score_p10": "number?", "score_p50": "number?",
          "score_p90": "number?", "scoring_ms_p99": "number?"
        },
        "challenger_arm": {
          "predictions": "number", "failures": "number", "score_p10": "number?", "score_p50": "number?",
          "score_p90": "number?", "scoring_ms_p99": "number?"
        },
        "score_psi": "number?",
        "difference?": {
          "compared": "number", "agreement": "number?", "mean": "number?", "max": "number?", "p50": "number?",
          "p90": "number?", "p99": "number?"
        },
        "gates": [{
          "metric": "string", "at_most": "number?", "predictions_min": "number", "value": "number?", "state": "string"
        }],
        "verdict": "string", "reason": "string?", "decides": "string"
      }]
    }
  },
  "registered": {
    "method": "GET", "path": "/api/registry/models",
    "answer": [{"model": "string", "versions": "number", "aliases": {"*": "number"}}]
  },
  "model": {
    "method": "GET", "path": "/api/models/{model}",
    "answer": {
      "model": "string", "aliases": {"*": "number"},
      "versions": [{
        "version": "number", "content_hash": "string", "format": "string", "feature_count": "number",
        "added_at_ms": "number", "added_by": "string", "note": "string",
        "lineage?": {
          "metrics": [{"name": "string", "value": "number?", "low?": "number?", "high?": "number?"}],
          "run_id": "string?", "code_revision": "string?", "service_name": "string?", "dataset_place": "string?"
        }
      }],
      "history": [{
        "alias": "string", "version": "number?", "since": "string", "by": "string", "reason": "string",
        "offset": "number"
      }],
      "approvals": [{"id": "string", "version": "number", "status": "string"}],
      "served": [{
        "alias": "string", "version": "number", "role": "string", "share_per_mille?": "number",
        "began": {"at": "string", "by": "string", "reason": "string", "offset": "number"},
        "ended?": {"at": "string", "by": "string", "reason": "string", "offset": "number"}, "verdict?": "string?"
      }]
    }
  },
  "promote": {
    "method": "POST", "path": "/api/models/{model}/aliases/{alias}/promote", "role": "operator",
    "answer": {"model": "string", "alias": "string", "version": "number", "before": "number?", "by": "string"}
  },
  "rollback": {
    "method": "POST", "path": "/api/models/{model}/aliases/{alias}/rollback", "role": "operator",
    "answer": {"model": "string", "alias": "string", "version": "number", "before": "number?", "by": "string"}
  },
  "monitors": {
    "method": "GET", "path": "/api/monitors",
    "answer": {
      "running_here": "boolean",
      "monitors": [{
        "monitor": "string", "model": "string", "window_ms": "number", "reference": "string",
        "tests": [{"test": "string", "threshold": "number?"}],
        "performance": [{"metric": "string", "min": "number?", "max": "number?"}],
        "rows": "number?", "late": "number?",
        "scores": [{"feature": "string", "test": "string", "value": "number?", "threshold": "number?"}],
        "alarms": [{"feature": "string", "cause": "string", "count": "number"}]
      }]
    }
  },
  "history": {
    "method": "GET", "path": "/api/monitors/{monitor}",
    "answer": {
      "model": "string",
      "features": [{
        "monitor": "string", "feature": "string", "test": "string",
        "windows": [{"start": "string", "rows": "number", "value": "number?", "threshold?": "number?", "alarm": "boolean"}]
      }],
      "performance": [{
        "monitor": "string", "segment": "string", "metric": "string",
        "windows": [{"start": "string", "rows": "number", "value": "number?", "lower?": "number?", "upper?": "number?"}]
      }],
      "alarms": [{
        "id": "string", "window": {"start": "string", "end": "string", "rows": "number"}, "feature": "string",
        "test": "string", "value": "number?", "threshold": "number?", "windows_in_a_row": "number",
        "muted_by": "string?", "cause": "any",
        "reference": {"start": "string", "end": "string", "rows": "number"},
        "segments": [{"name": "string", "rows": "number", "score": "number?", "share": "number?"}],
        "producers": [{"name": "string", "rows": "number", "score": "number?", "share": "number?"}]
      }]
    }
  },
  "acknowledge": {
    "method": "POST", "path": "/api/monitors/{monitor}/acknowledge", "role": "operator",
    "answer": {"monitor": "string", "action": "string", "by": "string"}
  },
  "silence": {
    "method": "POST", "path": "/api/monitors/{monitor}/silence", "role": "operator",
    "answer": {"monitor": "string", "action": "string", "by": "string"}
  },
  "retrainings": {
    "method": "GET", "path": "/api/retrainings",
    "answer": [{
      "id": "string", "policy": "string", "model": "string", "opened_by": "string", "cause": "any", "step": "string",
      "steps": [{
        "step": "string", "note": "string", "evidence": "any",
        "entered": {"at": "string", "by": "string", "reason": "string", "offset": "number"}
      }],
      "lease?": {"worker": "string", "until": "string"}
    }]
  },
  "approvals": {
    "method": "GET", "path": "/api/approvals",
    "answer": [{
      "id": "string", "model": "string", "version": "number", "alias": "string", "requested_by": "string",
      "reason": "string", "expires_at_ms": "number", "evidence": "any", "status": "string",
      "requested": {"at": "string", "by": "string", "reason": "string", "offset": "number"},
      "decided?": {"at": "string", "by": "string", "reason": "string", "offset": "number"}
    }]
  },
  "approve": {
    "method": "POST", "path": "/api/approvals/{approval}/approve", "role": "approver",
    "answer": {"approval": "string", "status": "string", "by": "string"}
  },
  "reject": {
    "method": "POST", "path": "/api/approvals/{approval}/reject", "role": "approver",
    "answer": {"approval": "string", "status": "string", "by": "string"}
  },
  "cost": {
    "method": "GET", "path": "/api/cost/report",
    "answer": {
      "priced": "boolean",
      "usage": {
        "from_ms": "number", "to_ms": "number", "cores": "number", "process_cpu_ns": "number",
        "unattributed_share": "number", "idle_share": "number", "events": "number", "feature_reads": "number",
        "predictions": "number",
        "lines": [{"operator": "string", "kind": "string", "subject": "string", "cpu_ns?": "number"}],
        "holdings": [{"medium": "string", "part": "string", "kind": "string", "subject": "string", "bytes": "number"}]
      },
      "currency?": "string", "total?": "number?", "idle?": "number?",
      "per_thousand?": [{"unit": "string", "count": "number", "own": "number?", "loaded": "number?"}],
      "subjects?": [{"kind": "string", "name": "string", "tenant": "string", "direct": "number?", "loaded": "number?"}],
      "lines?": [{"operator": "string", "cost": "number?"}],
      "unpriced?": ["string"],
      "advice": [{
        "kind": "string", "subject": "string", "reason": "string", "remedy": "string", "saved_share?": "number?"
      }]
    }
  }
};
