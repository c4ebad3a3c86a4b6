internal import NIOCore
internal import Runtime

/// Writes Prometheus' text format (0.0.4), family by family.
///
/// A family has its HELP and TYPE in front and all of its samples in one run; counters end in `_total`. What the
/// format asks for cannot be left out, because there is no other way to write a sample.
struct MetricsText {
  enum Kind {
    case counter, gauge, histogram
  }

  /// How it is asked for by `Accept`.
  enum Format {
    case prometheus
    /// OpenMetrics 1.0: counters are named without `_total` in front of their samples, buckets may have exemplars, and
    /// the end is marked.
    case openMetrics
  }

  typealias Label = (name: StaticString, value: String)

  private(set) var body = ByteBuffer()
  private let format: Format

  init(_ format: Format = .prometheus) { self.format = format }

  /// The whole text.
  mutating func end() -> ByteBuffer {
    if format == .openMetrics { body.write("# EOF\n") }
    return body
  }

  /// - Parameter name: with its base unit at the end; without `_total`, which counters get.
  mutating func family(
    _ name: String, _ kind: Kind, _ help: StaticString, _ samples: (inout Samples) -> Void
  ) {
    let family = kind == .counter && format == .prometheus ? "\(name)_total" : name
    let name = kind == .counter ? "\(name)_total" : name
    body.writeString("# HELP \(family) ")
    body.write(help)
    body.writeString("\n# TYPE \(family) ")
    body.write(kind.text)
    body.write("\n")
    var writer = Samples(name: name, format: format, body: body)
    samples(&writer)
    body = writer.body
  }

  struct Samples {
    fileprivate let name: String
    fileprivate let format: Format
    fileprivate var body: ByteBuffer

    mutating func add(_ value: Int64, _ labels: Label...) {
      write(name, labels)
      body.writeDecimal(value)
      body.write("\n")
    }

    /// 1 or 0.
    mutating func add(_ flag: Bool, _ labels: Label...) {
      write(name, labels)
      body.write(flag ? "1\n" : "0\n")
    }

    mutating func add(_ value: Double, _ labels: Label...) {
      write(name, labels)
      body.writeString(value.description)
      body.write("\n")
    }

    mutating func add(_ histogram: DurationHistogram, _ label: Label) {
      var count: Int64 = 0
      let bounds = DurationHistogram.boundsMicroseconds.map { (Double($0) / 1e6).description } + ["+Inf"]
      for (bound, ofBucket) in zip(bounds, histogram.counts) {
        count += ofBucket
        write("\(name)_bucket", [label, ("le", bound)])
        body.writeDecimal(count)
        body.write("\n")
      }
      write("\(name)_sum", [label])
      body.writeString("\(histogram.sumSeconds)\n")
      write("\(name)_count", [label])
      body.writeDecimal(count)
      body.write("\n")
    }

    /// Without labels of its own.
    mutating func add(_ histogram: BatchDurations) {
      var count: Int64 = 0
      let bounds = BatchDurations.boundsMicroseconds.map { (Double($0) / 1e6).description } + ["+Inf"]
      let exemplars = format == .openMetrics ? histogram.exemplars : []
      for (index, (bound, ofBucket)) in zip(bounds, histogram.counts).enumerated() {
        count += ofBucket
        write("\(name)_bucket", [("le", bound)])
        body.writeDecimal(count)
        if index < exemplars.count, let exemplar = exemplars[index] {
          let time = Double(exemplar.timeMilliseconds) / 1_000
          body.writeString(" # {trace_id=\"\(exemplar.traceID)\"} \(exemplar.seconds) \(time)")
        }
        body.write("\n")
      }
      write("\(name)_sum", [])
      body.writeString("\(histogram.sumSeconds)\n")
      write("\(name)_count", [])
      body.writeDecimal(count)
      body.write("\n")
    }

    private mutating func write(_ name: String, _ labels: [Label]) {
      body.writeString(name)
      guard !labels.isEmpty else { return body.write(" ") }
      for (index, label) in labels.enumerated() {
        body.write(index == 0 ? "{" : ",")
        body.write(label.name)
        body.write("=\"")
        for byte in label.value.utf8 {
          switch byte {
          case UInt8(ascii: "\\"): body.write("\\\\")
          case UInt8(ascii: "\""): body.write("\\\"")
          case UInt8(ascii: "\n"): body.write("\\n")
          default: body.writeInteger(byte)
          }
        }
        body.write("\"")
      }
      body.write("} ")
    }
  }
}

extension MetricsText.Kind {
  fileprivate var text: StaticString {
    switch self {
    case .counter: "counter"
    case .gauge: "gauge"
    case .histogram: "histogram"
    }
  }
}
