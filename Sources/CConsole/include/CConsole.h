/// The console's files, as they are in `page/`: in the program, so that it stays one file.
#ifndef HEADRACE_CCONSOLE_H
#define HEADRACE_CCONSOLE_H

#include <stddef.h>
#include <stdint.h>

/// One file. It lives as long as the program.
typedef struct {
  /// Below `/console/`.
  const char *name;
  const uint8_t *bytes;
  size_t count;
} hr_console_file;

/// All files; `count` gets how many.
const hr_console_file *hr_console_files(size_t *count);

#endif
