internal import CSimdjson
internal import Core

extension JSONFault {
  init?(_ status: csimdjson_status) {
    guard let reason = Reason(rawValue: status.fault) else { return nil }
    self.init(reason: reason, position: Int(status.position))
  }
}
