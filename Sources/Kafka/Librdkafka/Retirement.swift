internal import Core

/// Frees instances of the library on threads of their own: the end of one waits for the library's threads, and in older
/// versions it may hang.
enum Retirement {
  static func end(_ client: consuming RDClient) {
    let last = client
    do {
      try BlockingThread.start(name: "rdkafka-end") { withExtendedLifetime(last) {} }
    } catch {
      last.callbacks.note(.state, "no thread to end a client: \(error)")
    }
  }
}
