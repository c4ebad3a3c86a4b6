internal import CRDKafka
internal import Core

/// When to wake the library's fetching threads.
///
/// Before version 2.2 they sleep for up to a second once the prefetch queue is full, however fast it is emptied: a
/// reader that is slower than the broker, but faster than one queue a second, starves two thirds of its time. From 2.2
/// on `fetch.queue.backoff.ms` does what this does.
struct PrefetchAlarm: Equatable {
  private var peak = 0
  private var lastMilliseconds: Int64 = 0

  /// A full queue of 64 MiB lasts longer than twice this at any speed a reader has.
  static let pauseMilliseconds: Int64 = 10

  /// - Parameter queued: records and events that wait in the library, after a batch was taken out.
  /// - Returns: whether half of the peak is gone since the last alarm.
  mutating func isDue(queued: Int, nowMilliseconds: Int64) -> Bool {
    peak = max(peak, queued)
    guard queued < peak / 2, nowMilliseconds - lastMilliseconds >= Self.pauseMilliseconds else { return false }
    peak = queued
    lastMilliseconds = nowMilliseconds
    return true
  }
}

extension RDClient {
  /// Whether this version's fetching threads need an alarm.
  static let oversleeps = rd_kafka_version() < 0x0202_0000

  /// Makes every broker thread look at its work. No call of the library does that alone; setting the credentials that
  /// are set already does it last of all, and changes nothing else.
  func wakeBrokerThreads(_ configuration: ClientConfiguration) {
    let credentials: (username: String, password: Secret)
    switch configuration.security.authentication {
    case .plain(let username, let password), .scramSHA256(let username, let password),
      .scramSHA512(let username, let password):
      credentials = (username, password)
    case .none, .oauthBearer:
      // Credentials that came in as bare properties are not ours to repeat.
      guard !configuration.properties.keys.contains(where: { $0.hasPrefix("sasl.") }) else { return }
      credentials = ("", Secret(""))
    }
    if let error = unsafe rd_kafka_sasl_set_credentials(handle, credentials.username, credentials.password.value) {
      unsafe rd_kafka_error_destroy(error)
    }
  }
}
