/// The body of `POST /v1/traces` (OTLP 1.5, `ExportTraceServiceRequest`), in protocol buffers.
///
/// Not in JSON, which OTLP allows as well: every collector takes protocol buffers (it is the default of OTLP/HTTP),
/// some take nothing else, and a batch is a third of the size.
package enum TraceRequest {
  package static let contentType = "application/x-protobuf"

  /// - Parameter resource: of the process: `service.name`, `service.instance.id`…
  package static func encode(_ spans: [Span], resource: [(name: String, value: Span.Attribute)]) -> [UInt8] {
    var request = ProtobufWriter()
    request.message(1) { resourceSpans in
      resourceSpans.message(1) { writer in
        for attribute in resource { write(attribute, 1, to: &writer) }
      }
      resourceSpans.message(2) { scopeSpans in
        scopeSpans.message(1) { $0.text(1, "headrace") }
        for span in spans { scopeSpans.message(2) { write(span, to: &$0) } }
        scopeSpans.text(3, schema)
      }
      resourceSpans.text(3, schema)
    }
    return request.bytes
  }

  /// Whose names attributes have.
  private static let schema = "https://opentelemetry.io/schemas/1.37.0"

  private static func write(_ span: Span, to writer: inout ProtobufWriter) {
    writer.identifier(1, span.context.traceUpper, span.context.traceLower)
    writer.identifier(2, span.context.span)
    if let parent = span.parent { writer.identifier(4, parent) }
    writer.text(5, span.name)
    writer.varint(6, UInt64(span.kind.rawValue))
    writer.fixed64(7, UInt64(clamping: span.startNanoseconds))
    writer.fixed64(8, UInt64(clamping: max(span.endNanoseconds, span.startNanoseconds)))
    for attribute in span.attributes { write(attribute, 9, to: &writer) }
    for link in span.links {
      writer.message(13) { writer in
        writer.identifier(1, link.traceUpper, link.traceLower)
        writer.identifier(2, link.span)
        writer.fixed32(6, link.isSampled ? 1 : 0)
      }
    }
    writer.varint(14, UInt64(max(span.droppedLinks, 0)))
    if let failure = span.failure {
      writer.message(15) { writer in
        writer.text(2, failure)
        writer.varint(3, 2)
      }
    }
    writer.fixed32(16, span.context.isSampled ? 1 : 0)
  }

  private static func write(
    _ attribute: (name: String, value: Span.Attribute), _ field: Int, to writer: inout ProtobufWriter
  ) {
    writer.message(field) { writer in
      writer.text(1, attribute.name)
      writer.message(2) { value in
        switch attribute.value {
        case .text(let text): value.message(1) { $0.raw(text.utf8) }
        case .flag(let flag): value.chosenVarint(2, flag ? 1 : 0)
        case .integer(let number): value.chosenVarint(3, UInt64(bitPattern: number))
        }
      }
    }
  }
}
