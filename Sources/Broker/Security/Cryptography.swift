internal import CBroker

/// The hash functions that SASL mechanisms are built on, by libcrypto.
enum HashFunction: Sendable {
  case sha256, sha512

  private var native: hr_hash { self == .sha256 ? HR_SHA256 : HR_SHA512 }
  var digestSizeBytes: Int { hr_digest_size(native) }

  func digest(_ data: [UInt8]) -> [UInt8] {
    unsafe filled { unsafe hr_digest(native, data, data.count, $0) }
  }

  func authenticationCode(key: [UInt8], _ data: [UInt8]) -> [UInt8] {
    unsafe filled { unsafe hr_hmac(native, key, key.count, data, data.count, $0) }
  }

  /// `Hi` of RFC 5802: PBKDF2 with HMAC as its pseudorandom function.
  func saltedPassword(_ password: [UInt8], salt: [UInt8], iterations: Int32) -> [UInt8] {
    unsafe filled { unsafe hr_pbkdf2(native, password, password.count, salt, salt.count, iterations, $0) }
  }

  /// libcrypto fails on these calls only when it cannot allocate; an empty digest then equals no other digest.
  private func filled(_ body: (UnsafeMutablePointer<UInt8>) -> Int32) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: digestSizeBytes) { buffer, count in
      guard let base = buffer.baseAddress else { return }
      count = unsafe body(base) == 1 ? buffer.count : 0
    }
  }
}

enum SecureBytes {
  /// Bytes that nobody can guess; empty only when the system has no entropy source.
  static func random(_ count: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      guard let base = buffer.baseAddress else { return }
      initialized = unsafe hr_random(base, count) == 1 ? count : 0
    }
  }

  /// Compares without telling by its duration where the first difference is. Empty secrets are equal to nothing.
  static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard !left.isEmpty, left.count == right.count else { return false }
    return unsafe hr_equal(left, right, left.count) == 1
  }
}
