/// A decoder that works in steps over self-delimiting frames, several of which may follow one another.
///
/// `startFrame` comes first and after every frame's end. A step does as much as its input and its room allow; one that
/// neither consumes nor produces, with room to write, wants input that is not there.
protocol FrameDecoder: AnyObject {
  func startFrame() throws(CodecError)

  /// - Parameter output: the bytes that come right after those of the previous step, or any other place if the decoder
  ///   keeps its own history.
  func step(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) -> DecodingStep
}

/// What one step of a `FrameDecoder` did.
struct DecodingStep {
  var consumedBytes: Int
  var producedBytes: Int
  /// The frame is complete, its checksum too.
  var endsFrame: Bool

  var isIdle: Bool { consumedBytes == 0 && producedBytes == 0 && !endsFrame }
}
