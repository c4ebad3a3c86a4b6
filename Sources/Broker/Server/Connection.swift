internal import Core
internal import Logging
internal import NIOCore

/// One client's socket: frames in, answers out in the order of their requests.
///
/// Lives on the broker's event loop. What requests mean is the business of `BrokerCore`; who the peer is and how much
/// it may have under way is the business of this type.
final class Connection: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Where the peer is in proving who it is.
  enum Authentication {
    case needed
    /// SaslHandshake was answered; SaslAuthenticate requests carry the messages.
    case exchanging(SASLExchange)
    /// SaslHandshake v0 was answered; frames are bare SASL messages until the exchange ends.
    case exchangingBare(SASLExchange)
    case done(user: String)
  }

  let identifier: UInt64
  let peerAddress: String
  private unowned let core: BrokerCore
  private let limits: BrokerConfiguration.Limits
  private var context: ChannelHandlerContext?
  private var frames = FrameAssembler()
  private var responses = ResponseQueue()
  private var hasUnflushedWrites = false
  private var isHandlingFrames = false
  private var hasSentFrame = false
  private var hasHeldBackRead = false
  private var accountedPartialBytes = 0
  private(set) var openedAtMilliseconds: Int64
  private(set) var lastActivityMilliseconds: Int64
  private(set) var frameBeganMilliseconds: Int64?
  var authentication: Authentication
  var clientSoftware = ""

  init(core: BrokerCore, identifier: UInt64, peerAddress: String, requiresAuthentication: Bool) {
    self.core = core
    self.identifier = identifier
    self.peerAddress = peerAddress
    limits = core.configuration.limits
    authentication = requiresAuthentication ? .needed : .done(user: "ANONYMOUS")
    openedAtMilliseconds = core.monotonicMilliseconds
    lastActivityMilliseconds = openedAtMilliseconds
  }

  var isOpen: Bool { context != nil }

  var isAuthenticated: Bool {
    if case .done = authentication { true } else { false }
  }

  // MARK: What the socket brings

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func channelActive(context: ChannelHandlerContext) {
    core.opened(self)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    account(partialBytes: 0)
    core.closed(self)
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    lastActivityMilliseconds = core.monotonicMilliseconds
    frames.append(&bytes)
    handleFrames()
  }

  /// Hands over the frames that are here, as long as the peer takes its answers.
  private func handleFrames() {
    isHandlingFrames = true
    defer { isHandlingFrames = false }
    do throws(FrameAssembler.Failure) {
      while !isHeldBack, let frame = try frames.next(limitBytes: frameLimitBytes) {
        hasSentFrame = true
        core.receive(frame, on: self)
      }
    } catch {
      close(because: "a frame that cannot be: \(error)")
      return
    }
    guard isOpen else { return }
    frameBeganMilliseconds =
      frames.isInsideFrame && !isHeldBack ? frameBeganMilliseconds ?? lastActivityMilliseconds : nil
    account(partialBytes: frames.partialBytes)
    if core.partialFrameBytes > limits.partialFrameBytes {
      close(because: "unfinished frames of all peers hold more than \(limits.partialFrameBytes) bytes")
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    flushIfNeeded()
    resumeReading()
    context.fireChannelReadComplete()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    close(because: "\(error)")
  }

  // MARK: Back-pressure

  /// A peer that does not read its answers, or has too many requests under way, is neither read from nor served.
  func read(context: ChannelHandlerContext) {
    if isHeldBack { hasHeldBackRead = true } else { context.read() }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    resumeReading()
    context.fireChannelWritabilityChanged()
  }

  private var isHeldBack: Bool {
    guard let context else { return true }
    return responses.inFlight >= limits.requestsInFlightPerConnection || !context.channel.isWritable
  }

  private func resumeReading() {
    guard !isHeldBack, !isHandlingFrames else { return }
    if frames.isInsideFrame {
      handleFrames()
      flushIfNeeded()
    }
    guard hasHeldBackRead, !isHeldBack else { return }
    hasHeldBackRead = false
    context?.read()
  }

  // MARK: Answers

  func reserveSlot() -> ResponseQueue.Slot { responses.reserve() }

  /// - Parameter parts: the whole frame in pieces; empty for a request that is not answered.
  func complete(_ slot: ResponseQueue.Slot, with parts: [ByteBuffer]) {
    responses.complete(slot, with: parts)
    guard let context else { return }
    while let parts = responses.popReady() {
      for part in parts {
        context.write(wrapOutboundOut(part), promise: nil)
        hasUnflushedWrites = true
      }
    }
    if !isHandlingFrames {
      flushIfNeeded()
      resumeReading()
    }
  }

  private func flushIfNeeded() {
    guard hasUnflushedWrites, let context else { return }
    hasUnflushedWrites = false
    context.flush()
  }

  func close(because reason: String) {
    guard let context else { return }
    core.logger.debug("closing a connection", metadata: ["peer": "\(peerAddress)", "reason": "\(reason)"])
    flushIfNeeded()
    context.close(promise: nil)
  }

  // MARK: Limits

  private var frameLimitBytes: Int {
    isAuthenticated ? limits.frameBytes : limits.frameBytesBeforeAuthentication
  }

  private func account(partialBytes: Int) {
    core.partialFrameBytes += partialBytes - accountedPartialBytes
    accountedPartialBytes = partialBytes
  }

  /// Why this connection has outstayed its welcome, or nil.
  func overstayReason(nowMilliseconds now: Int64) -> String? {
    if !(hasSentFrame && isAuthenticated) && now - openedAtMilliseconds > limits.handshakeMilliseconds {
      return "it did not say who it is in time"
    }
    if let began = frameBeganMilliseconds, now - began > limits.partialFrameMilliseconds {
      return "a frame did not end in time"
    }
    if responses.inFlight == 0 && now - lastActivityMilliseconds > limits.idleMilliseconds { return "it was idle" }
    return nil
  }
}
