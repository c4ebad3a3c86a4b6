/// The limits of transactions; each names the Kafka setting that it stands for.
struct TransactionConfiguration: Sendable, Equatable {
  /// `transaction.max.timeout.ms`.
  var timeoutMillisecondsMaximum: Int64 = 900_000
  /// `transactional.id.expiration.ms`: an id without open transaction is forgotten after that time.
  var idExpirationMilliseconds: Int64 = 604_800_000
  /// `transaction.remove.expired.transaction.cleanup.interval.ms`.
  var idExpirationCheckMilliseconds: Int64 = 3_600_000
  /// How many producer ids one journal event reserves; a restart skips the rest of them.
  var producerIDsPerReservation: Int64 = 1_000
}
