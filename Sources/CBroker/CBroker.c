#define _XOPEN_SOURCE 700
#include "CBroker.h"

#include <ftw.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>

static const EVP_MD *algorithm(hr_hash hash) { return hash == HR_SHA512 ? EVP_sha512() : EVP_sha256(); }

size_t hr_digest_size(hr_hash hash) { return hash == HR_SHA512 ? 64 : 32; }

int hr_digest(hr_hash hash, const void *data, size_t size, uint8_t *digest) {
  return EVP_Digest(data, size, digest, NULL, algorithm(hash), NULL) == 1;
}

int hr_hmac(hr_hash hash, const void *key, size_t key_size, const void *data, size_t size, uint8_t *digest) {
  if (key_size > INT_MAX) return 0;
  return HMAC(algorithm(hash), key, (int)key_size, data, size, digest, NULL) != NULL;
}

int hr_pbkdf2(hr_hash hash, const void *password, size_t password_size, const uint8_t *salt, size_t salt_size,
              int iterations, uint8_t *key) {
  if (password_size > INT_MAX || salt_size > INT_MAX) return 0;
  return PKCS5_PBKDF2_HMAC(password, (int)password_size, salt, (int)salt_size, iterations, algorithm(hash),
                           (int)hr_digest_size(hash), key) == 1;
}

int hr_random(uint8_t *bytes, size_t size) { return size <= INT_MAX && RAND_bytes(bytes, (int)size) == 1; }

int hr_equal(const void *left, const void *right, size_t size) { return CRYPTO_memcmp(left, right, size) == 0; }

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where) {
  (void)status, (void)kind, (void)where;
  return remove(path);
}

int hr_remove_tree(const char *path) { return nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS); }
