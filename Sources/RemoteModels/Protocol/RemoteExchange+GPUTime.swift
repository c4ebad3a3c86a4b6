internal import HTTPClient

extension RemoteExchange {
  /// What a request took of a GPU, in microseconds, as the server or whatever stands in front of it says; 0 when nobody
  /// says anything.
  ///
  /// - `Server-Timing: gpu;dur=12.5` (W3C, milliseconds): what a gateway or a custom backend of Triton or KServe can
  ///   say. Metrics of that name add up.
  /// - `x-inference-time: 12` in milliseconds beside `x-compute-type: gpu…`: Hugging Face's servers for texts and
  ///   embeddings. Others use the first header with other units, so that it counts in this company only.
  ///
  /// Triton and vLLM themselves know sums over all callers alone (`/v2/models/NAME/stats`, `/metrics`), which tell
  /// nobody what a caller's part is.
  static func gpuMicroseconds(_ response: HTTPResponse) -> Int64 {
    var milliseconds = 0.0
    for (name, value) in response.headers where name.lowercased() == "server-timing" {
      for metric in parts(value, by: ",") {
        let fields = parts(metric, by: ";")
        guard fields.first?.lowercased() == "gpu" else { continue }
        for field in fields.dropFirst() where field.lowercased().hasPrefix("dur=") {
          milliseconds += duration(field.dropFirst("dur=".count).filter { $0 != "\"" })
        }
      }
    }
    if milliseconds == 0, response.header("x-compute-type")?.lowercased().hasPrefix("gpu") == true {
      milliseconds = duration(response.header("x-inference-time") ?? "")
    }
    return Int64((milliseconds * 1_000).rounded())
  }

  /// No request takes a day.
  private static func duration(_ text: String) -> Double {
    guard let milliseconds = Double(text), milliseconds >= 0, milliseconds <= 86_400_000 else { return 0 }
    return milliseconds
  }

  /// The parts of a header without white space around them; what is quoted is not divided.
  private static func parts(_ text: some StringProtocol, by separator: Character) -> [String] {
    var parts = [""]
    var isQuoted = false
    for character in text {
      if character == "\"" { isQuoted.toggle() }
      if character == separator, !isQuoted {
        parts.append("")
      } else if isQuoted || !character.isWhitespace {
        parts[parts.count - 1].append(character)
      }
    }
    return parts
  }
}
