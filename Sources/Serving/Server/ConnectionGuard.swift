internal import NIOCore
internal import NIOHTTP1

/// Sees a connection's requests begin and end, closes it when its peer is too slow, and tells whether it has work.
///
/// Requests of a connection are answered one after the other. However many of them a peer has sent ahead, one is under
/// way for the server: a peer that sends thousands and reads nothing must not have the others refused.
///
/// Lives on the connection's event loop, behind the parser of HTTP/1.1. `ByteWatch` tells it of bytes that are no
/// whole headers yet, which the parser keeps to itself.
final class ConnectionGuard: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart

  private let admission: AdmissionControl
  private var pace: RequestPace
  /// Requests whose head has come and whose answer is not on its way.
  private(set) var requestsUnderWay = 0
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
    if requestsUnderWay > 0 { admission.answered() }
    requestsUnderWay = 0
    context.fireChannelInactive()
  }

  func bytesArrived() { pace.bytesArrived(nowMilliseconds: Self.nowMilliseconds) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head:
      pace.headArrived(nowMilliseconds: Self.nowMilliseconds)
      if requestsUnderWay == 0 { admission.arrived() }
      requestsUnderWay += 1
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
    if case .end = unwrapOutboundIn(data) { answered() }
    context.write(data, promise: promise)
  }

  /// The oldest request under way has its answer.
  func answered() {
    // A connection that went has given its requests up.
    guard requestsUnderWay > 0 else { return }
    pace.answered(nowMilliseconds: Self.nowMilliseconds)
    requestsUnderWay -= 1
    if requestsUnderWay == 0 { admission.answered() }
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

/// In front of the codec: tells the connection's guard of bytes, and writes bytes that are an answer already.
final class ByteWatch: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let connectionGuard: ConnectionGuard
  private var context: ChannelHandlerContext?

  init(_ connectionGuard: ConnectionGuard) { self.connectionGuard = connectionGuard }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  /// Writes a whole answer, past the codec.
  func write(_ answer: ByteBuffer) { context?.writeAndFlush(wrapOutboundOut(answer), promise: nil) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connectionGuard.bytesArrived()
    context.fireChannelRead(data)
  }
}

@available(*, unavailable)
extension ByteWatch: Sendable {}
