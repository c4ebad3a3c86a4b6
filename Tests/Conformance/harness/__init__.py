"""What the conformance suite and the torture test share: a broker process, foreign clients, raw frames, a fault proxy."""
