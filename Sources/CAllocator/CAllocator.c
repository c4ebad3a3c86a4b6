#include "CAllocator.h"

#include <limits.h>
#include <malloc.h>

void headrace_allocator_map_blocks_from(size_t bytes) {
  mallopt(M_MMAP_THRESHOLD, bytes > INT_MAX ? INT_MAX : (int)bytes);
}

size_t headrace_allocator_idle_bytes(void) { return mallinfo2().fordblks; }
