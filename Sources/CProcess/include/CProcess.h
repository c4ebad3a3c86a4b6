/// Starts a program under limits, in the care of a process that lets nothing of it survive.
#ifndef HEADRACE_CPROCESS_H
#define HEADRACE_CPROCESS_H

#include <stdint.h>
#include <sys/types.h>

/// What is started. Strings belong to the caller, and are only read during the call.
typedef struct {
  /// The file of the program; not looked up in any path.
  const char *path;
  char *const *arguments;
  char *const *environment;
  /// The working directory.
  const char *folder;
  /// RLIMIT_AS of each process; 0: none.
  uint64_t address_space_bytes;
  /// RLIMIT_FSIZE of each process; 0: none.
  uint64_t file_bytes;
  /// A descriptor that stays open as long as anything of the program lives, such as a lock; -1: none.
  int held;
} hr_program;

/// A program that was started.
typedef struct {
  /// The process that watches over it; the caller waits for this one.
  pid_t supervisor;
  /// What it writes to its standard output and standard error: ends for reading that do not block.
  int output;
  int errors;
  /// One `hr_program_report` comes here, then its end.
  int report;
  /// A byte of `hr_program_order` at a time. When the last copy of this end is closed, as by the death of the caller,
  /// everything of the program is killed.
  int control;
} hr_process;

enum hr_program_order { HR_TERMINATE = 'T', HR_KILL = 'K' };

/// How it ended.
typedef struct {
  /// errno when the program could not be started, else 0.
  int32_t start_error;
  /// As `waitpid` gives it.
  int32_t status;
  /// Processes of it that were still there when it ended, and were killed.
  int32_t survivors;
} hr_program_report;

/// - Returns: 0, or errno.
int hr_program_start(const hr_program *program, hr_process *process);

int hr_status_did_exit(int status);
int hr_status_exit_code(int status);
int hr_status_signal(int status);

#endif
