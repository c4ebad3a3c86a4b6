internal import NIOCore

/// One request on its way: who asked, in what version, and where its answer belongs.
struct Exchange {
  let connection: Connection
  let slot: ResponseQueue.Slot
  let header: RequestHeader
  /// From a test switch: what the answer tells the client to wait.
  var throttleMilliseconds: Int32 = 0
  /// From a test switch: the request takes effect and the connection closes instead of answering.
  var dropsResponse = false

  var version: Int16 { header.version }

  /// Sends the answer, in the request's version, as soon as those before it are sent.
  func reply(_ response: some WireWritable) {
    guard !dropsResponse else {
      connection.close(because: "a test switch drops this answer")
      return
    }
    connection.complete(slot, with: ResponseFrame.encode(response, to: header))
  }

  /// For requests that are not answered (Produce with acks=0).
  func finishSilently() {
    connection.complete(slot, with: [])
  }
}
