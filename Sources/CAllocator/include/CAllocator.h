/// The C library's allocator: what Swift's module of it leaves out.
#ifndef HEADRACE_CALLOCATOR_H
#define HEADRACE_CALLOCATOR_H

#include <stddef.h>

/// Blocks of at least so many bytes are mapped for themselves from now on, and given back to the system when they are
/// freed. Also ends the library's habit of raising that size to that of the largest block that was ever freed.
void headrace_allocator_map_blocks_from(size_t bytes);

/// Bytes that the process holds from the system and that nobody uses. Walks all arenas: not for a hot path.
size_t headrace_allocator_idle_bytes(void);

#endif
