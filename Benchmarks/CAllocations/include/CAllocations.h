/// Counts what a thread asks the memory allocator for.
#ifndef HEADRACE_C_ALLOCATIONS_H
#define HEADRACE_C_ALLOCATIONS_H

#include <stdint.h>

/// How often the calling thread has asked for memory since it began.
/// A program that links this library defines malloc and its relatives to know.
uint64_t allocations_of_thread(void);

#endif
