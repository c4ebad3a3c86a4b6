// Preloaded into a program: counts what each of its threads asks the allocator for, in a file that others can read.
//
// HEADRACE_ALLOCATIONS names the file: an array of {thread id, count}, one place for each thread.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { places = 1024 };
struct place {
  int64_t thread;
  uint64_t count;
};

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static struct place *table;
static atomic_int taken;
static __thread struct place *own;

__attribute__((constructor)) static void map_table(void) {
  const char *path = getenv("HEADRACE_ALLOCATIONS");
  int file = path ? open(path, O_RDWR | O_CREAT, 0600) : -1;
  if (file < 0 || ftruncate(file, places * sizeof(struct place)) != 0) abort();
  void *mapped = mmap(NULL, places * sizeof(struct place), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) abort();
  close(file);
  table = mapped;
}

static void count(void) {
  if (!table) return;
  if (!own) {
    int number = atomic_fetch_add(&taken, 1);
    if (number >= places) abort();
    own = &table[number];
    own->thread = syscall(SYS_gettid);
  }
  own->count++;
}

void *malloc(size_t size) {
  count();
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  count();
  return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
  count();
  return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  count();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  count();
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}
