internal import NIOCore
internal import NIOHTTP1

/// Answers the reads and inference requests that applications send all day where they come in: on the event loop, in
/// one write, without a task and without HTTP's parts being turned into one another.
///
/// Stands behind the connection's guard and in front of Hummingbird, and holds a read back until it is whole. What it
/// cannot answer with 200 at once (another address, a body that is too large, an offset to wait for, many rows, any
/// problem) goes on as it came: rules and errors have one place, this one only is quicker.
final class ReadShortcut: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart

  private let server: FeatureServer
  private let workspace: ReadWorkspace
  private let connectionGuard: ConnectionGuard
  private let bytes: ByteWatch
  /// The read that is held back; nil while everything goes on.
  private var head: HTTPRequestHead?
  private var body: ByteBuffer?
  private var started = NIODeadline.uptimeNanoseconds(0)

  init(_ server: FeatureServer, _ workspace: ReadWorkspace, _ connectionGuard: ConnectionGuard, _ bytes: ByteWatch) {
    self.server = server
    self.workspace = workspace
    self.connectionGuard = connectionGuard
    self.bytes = bytes
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      // Answers keep the order of requests, and a peer that does not read them is not answered any more: both are
      // Hummingbird's business.
      guard connectionGuard.requestsUnderWay == 1, context.channel.isWritable, isCandidate(head),
        server.access.isReadingOpen
      else {
        return context.fireChannelRead(data)
      }
      started = NIODeadline.now()
      self.head = head
    case .body(var part):
      guard head != nil else { return context.fireChannelRead(data) }
      if body == nil { body = part } else { body?.writeBuffer(&part) }
      if (body?.readableBytes ?? 0) > server.configuration.limits.bodyBytes { release(context) }
    case .end:
      if let head, answer(head) {
        self.head = nil
        body = nil
        connectionGuard.answered()
        let route = head.uri == Route.getOnlineFeatures.path ? Route.getOnlineFeatures : nil
        server.counters.answered(route, status: 200, nanoseconds: started.nanosecondsUntilNow)
      } else {
        release(context)
        context.fireChannelRead(data)
      }
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // The server stops, or the peer sends no more: whoever decides what becomes of the connection must know of it.
    release(context)
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    release(context)
    context.fireErrorCaught(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    release(context)
    context.fireChannelInactive()
  }

  /// Writes the answer to what was held back, if it can be given at once.
  private func answer(_ head: HTTPRequestHead) -> Bool {
    let body = body ?? ByteBuffer()
    if head.uri == Route.getOnlineFeatures.path {
      guard server.answerAtOnce(body, started: started, &workspace.memory) else { return false }
      bytes.write(workspace.memory.frame.wire)
      return true
    }
    let jsonBytes = head.headers.first(name: "inference-header-content-length")
    guard server.inferAtOnce(head.uri, jsonBytes: jsonBytes, body, started: started, &workspace.inference) else {
      return false
    }
    bytes.write(workspace.inference.frame.wire)
    return true
  }

  /// Lets go on what was held back.
  private func release(_ context: ChannelHandlerContext) {
    guard let head else { return }
    self.head = nil
    context.fireChannelRead(wrapInboundOut(.head(head)))
    guard let body else { return }
    self.body = nil
    context.fireChannelRead(wrapInboundOut(.body(body)))
  }

  /// A plain read: nothing in its head asks for anything special.
  private func isCandidate(_ head: HTTPRequestHead) -> Bool {
    guard head.method == .POST, head.version == .http1_1, head.isKeepAlive,
      head.uri == Route.getOnlineFeatures.path || InferenceRoute.isInference(head.uri)
    else { return false }
    for (name, value) in head.headers {
      switch name.utf8.count {
      case 6: if name.isHeader("expect") { return false }
      case 14:
        if name.isHeader("content-length"), Int(value).map({ $0 > server.configuration.limits.bodyBytes }) ?? true {
          return false
        }
      case 16: if name.isHeader("content-encoding") { return false }
      default: continue
      }
    }
    return true
  }
}

@available(*, unavailable)
extension ReadShortcut: Sendable {}

extension NIODeadline {
  /// How long ago it was.
  var nanosecondsUntilNow: Int64 { Int64(clamping: (NIODeadline.now() - self).nanoseconds) }
}

extension String {
  /// - Parameter header: in lower case.
  fileprivate func isHeader(_ header: StaticString) -> Bool {
    guard utf8.count == header.utf8CodeUnitCount else { return false }
    for (index, byte) in utf8.enumerated() where unsafe byte | 0x20 != header.utf8Start[index] { return false }
    return true
  }
}
