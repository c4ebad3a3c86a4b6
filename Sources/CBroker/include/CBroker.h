#pragma once
// What the broker needs of C: the pieces of libcrypto that SASL is made of, and POSIX calls that Swift does not see.
#include <stddef.h>
#include <stdint.h>

/// Which hash a SCRAM mechanism is built on.
typedef enum { HR_SHA256 = 0, HR_SHA512 = 1 } hr_hash;

/// Bytes of a digest: 32 or 64.
size_t hr_digest_size(hr_hash hash);
/// Each returns 1 on success and 0 when libcrypto refuses.
int hr_digest(hr_hash hash, const void *data, size_t size, uint8_t *digest);
int hr_hmac(hr_hash hash, const void *key, size_t key_size, const void *data, size_t size, uint8_t *digest);
int hr_pbkdf2(hr_hash hash, const void *password, size_t password_size, const uint8_t *salt, size_t salt_size,
              int iterations, uint8_t *key);
int hr_random(uint8_t *bytes, size_t size);
/// 1 when the two ranges are equal, in time that depends on the size only.
int hr_equal(const void *left, const void *right, size_t size);

/// Deletes a folder and all that is in it, following no link. 0, or -1 with errno of the first thing that stayed.
int hr_remove_tree(const char *path);
