internal import NIOCore
internal import NIOHTTP1

/// Sees a connection's requests begin and end, closes it when its peer is too slow, and counts what is under way.
///
/// Lives on the connection's event loop, behind the parser of HTTP/1.1. `ByteWatch` tells it of bytes that are no
/// whole headers yet, which the parser keeps to itself.
final class ConnectionGuard: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart

  private let admission: AdmissionControl
  private var pace: RequestPace
  private var requestsUnderWay = 0
  private var timer: Scheduled<Void>?
  private var timerAtMilliseconds: Int64 = .max

  init(admission: AdmissionControl, pace: ServingConfiguration.Pace) {
    self.admission = admission
    self.pace = RequestPace(limits: pace, nowMilliseconds: Self.nowMilliseconds)
  }

  /// When the newest request's headers were complete, on the clock of `nowMilliseconds`.
  var arrivedMilliseconds: Int64 { pace.arrivedMilliseconds }

  static var nowMilliseconds: Int64 { Int64(truncatingIfNeeded: NIODeadline.now().uptimeNanoseconds / 1_000_000) }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { watch(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    watch(context)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    timer = nil
    for _ in 0..<requestsUnderWay { admission.answered() }
    requestsUnderWay = 0
    context.fireChannelInactive()
  }

  func bytesArrived() { pace.bytesArrived(nowMilliseconds: Self.nowMilliseconds) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head:
      pace.headArrived(nowMilliseconds: Self.nowMilliseconds)
      requestsUnderWay += 1
      admission.arrived()
    case .body: break
    case .end: pace.requestEnded(nowMilliseconds: Self.nowMilliseconds)
    }
    context.fireChannelRead(data)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    // Requests that come whole never get here, so that they never pay for a timer.
    if pace.waitsForPeer, pace.deadlineMilliseconds < timerAtMilliseconds { watch(context) }
    context.fireChannelReadComplete()
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .end = unwrapOutboundIn(data), requestsUnderWay > 0 {
      pace.answered(nowMilliseconds: Self.nowMilliseconds)
      requestsUnderWay -= 1
      admission.answered()
    }
    context.write(data, promise: promise)
  }

  /// Looks again when the deadline of the phase is over that the connection is in now.
  private func watch(_ context: ChannelHandlerContext) {
    timer?.cancel()
    timerAtMilliseconds = pace.deadlineMilliseconds
    let wait = max(timerAtMilliseconds &- Self.nowMilliseconds, 1)
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(wait)) { [weak self] in
      guard let self else { return }
      timer = nil
      if pace.deadlineMilliseconds <= Self.nowMilliseconds {
        admission.closedAsTooSlow()
        context.close(promise: nil)
      } else {
        watch(context)
      }
    }
  }
}

@available(*, unavailable)
extension ConnectionGuard: Sendable {}

/// Tells the connection's guard of bytes, in front of the codec.
final class ByteWatch: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let connectionGuard: ConnectionGuard

  init(_ connectionGuard: ConnectionGuard) { self.connectionGuard = connectionGuard }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connectionGuard.bytesArrived()
    context.fireChannelRead(data)
  }
}

@available(*, unavailable)
extension ByteWatch: Sendable {}
