#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Between fork and exec, and in the supervisor, which never calls exec, only calls are made that are safe in the child
// of a process with threads: no memory is allocated, and nothing of the C library's that takes a lock.

enum { STANDARD_OUTPUT = 1, STANDARD_ERROR = 2, CONTROL = 3, REPORT = 4, HELD = 5, FIRST_OTHER = 6 };

static void limit(int resource, uint64_t bytes) {
  struct rlimit limit = {.rlim_cur = bytes, .rlim_max = bytes};
  setrlimit(resource, &limit);
}

static void report_and_exit(const hr_program_report *report) {
  ssize_t ignored = write(REPORT, report, sizeof(*report));
  (void)ignored;
  _exit(0);
}

/// What becomes the program.
static void run_program(const hr_program *program) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  limit(RLIMIT_CORE, 0);
  if (program->address_space_bytes > 0) limit(RLIMIT_AS, program->address_space_bytes);
  if (program->file_bytes > 0) limit(RLIMIT_FSIZE, program->file_bytes);
  hr_program_report report = {0};
  if (chdir(program->folder) == 0) execve(program->path, program->arguments, program->environment);
  report.start_error = errno;
  report_and_exit(&report);
}

/// Moves the descriptors to numbers that are known, and closes all others.
static void arrange_descriptors(int output, int errors, int control, int report, int held) {
  enum { BEHIND = 64 };
  int null = open("/dev/null", O_RDWR);
  int wanted[6] = {null, output, errors, control, report, held};
  int moved[6];
  for (int index = 0; index < 6; index++) moved[index] = wanted[index] < 0 ? -1 : fcntl(wanted[index], F_DUPFD, BEHIND);
  for (int index = 0; index < 6; index++) {
    if (moved[index] < 0) {
      close(index);
    } else {
      dup2(moved[index], index);
    }
  }
  // Our own end of the control pipe is among them: with a copy of it open, its end would never come.
  if (syscall(SYS_close_range, FIRST_OTHER, ~0U, 0) != 0) {
    struct rlimit files = {.rlim_cur = 1024};
    getrlimit(RLIMIT_NOFILE, &files);
    int end = files.rlim_cur > 1 << 20 ? 1 << 20 : (int)files.rlim_cur;
    for (int descriptor = FIRST_OTHER; descriptor < end; descriptor++) close(descriptor);
  }
  for (int index = CONTROL; index < FIRST_OTHER; index++) fcntl(index, F_SETFD, FD_CLOEXEC);
}

/// Sends a signal to every direct child. What a child leaves behind becomes a direct child in its turn.
static int signal_children(int number) {
  int list = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (list < 0) return 0;
  int count = 0;
  pid_t pid = 0;
  char bytes[1024];
  ssize_t size;
  while ((size = read(list, bytes, sizeof(bytes))) > 0) {
    for (ssize_t index = 0; index < size; index++) {
      if (bytes[index] >= '0' && bytes[index] <= '9') {
        pid = pid * 10 + (bytes[index] - '0');
      } else if (pid > 0) {
        if (kill(pid, number) == 0) count++;
        pid = 0;
      }
    }
  }
  close(list);
  return count;
}

static void ignore_signal(int number) { (void)number; }

/// Waits for children that have ended.
///
/// - Returns: whether there are any left.
static int reap(pid_t program, int *is_over, hr_program_report *report) {
  while (1) {
    int status = 0;
    pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);
    if (pid == 0) return 1;
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) return 0;
    if (pid == program) {
      *is_over = 1;
      report->status = status;
    } else if (*is_over) {
      report->survivors++;
    }
  }
}

/// Kills until nobody is left: whoever forks meanwhile loses its parent, and is a child of ours then.
static void kill_all(pid_t program, int *is_over, hr_program_report *report) {
  while (1) {
    if (!*is_over) kill(-program, SIGKILL);
    signal_children(SIGKILL);
    if (!reap(program, is_over, report)) return;
    struct timespec moment = {.tv_nsec = 2000000};
    nanosleep(&moment, NULL);
  }
}

static void supervise(pid_t program) {
  hr_program_report report = {0};
  int is_over = 0;
  sigset_t during;
  sigemptyset(&during);
  while (!is_over) {
    struct pollfd control = {.fd = CONTROL, .events = POLLIN};
    struct timespec second = {.tv_sec = 1};
    if (ppoll(&control, 1, &second, &during) > 0) {
      char order = 0;
      ssize_t size = read(CONTROL, &order, 1);
      if (size == 1 && order == HR_TERMINATE) {
        kill(-program, SIGTERM);
        signal_children(SIGTERM);
      } else if (size == 0 || (size == 1 && order == HR_KILL)) {
        break;
      }
    }
    if (!reap(program, &is_over, &report)) break;
  }
  kill_all(program, &is_over, &report);
  report_and_exit(&report);
}

/// The life of the supervisor.
static void run_supervisor(const hr_program *program, int output, int errors, int control, int report) {
  arrange_descriptors(output, errors, control, report, program->held);
  setsid();
  prctl(PR_SET_NAME, "headrace-train");
  // Orphans of the program become children of this process, whatever sessions and groups they make for themselves.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  for (int number = 1; number < NSIG; number++) {
    if (number != SIGCHLD) signal(number, SIG_IGN);
  }
  struct sigaction action = {.sa_handler = ignore_signal};
  sigaction(SIGCHLD, &action, NULL);
  // It comes while `ppoll` waits, and at no other time.
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD);
  sigprocmask(SIG_SETMASK, &blocked, NULL);
  pid_t pid = _Fork();
  if (pid < 0) {
    hr_program_report failed = {.start_error = errno};
    report_and_exit(&failed);
  }
  if (pid == 0) run_program(program);
  close(STANDARD_OUTPUT);
  close(STANDARD_ERROR);
  supervise(pid);
}

static void close_pairs(int pairs[4][2]) {
  for (int index = 0; index < 4; index++) {
    for (int end = 0; end < 2; end++) {
      if (pairs[index][end] >= 0) close(pairs[index][end]);
    }
  }
}

int hr_program_start(const hr_program *program, hr_process *process) {
  // Output, errors, report: from the program; control: to its supervisor.
  int pairs[4][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
  for (int index = 0; index < 4; index++) {
    if (pipe2(pairs[index], O_CLOEXEC) != 0) {
      int code = errno;
      close_pairs(pairs);
      return code;
    }
  }
  // Signals of the caller's handlers wait until the child has its own.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = _Fork();
  int code = errno;
  if (pid == 0) run_supervisor(program, pairs[0][1], pairs[1][1], pairs[3][0], pairs[2][1]);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (pid < 0) {
    close_pairs(pairs);
    return code;
  }
  close(pairs[0][1]);
  close(pairs[1][1]);
  close(pairs[2][1]);
  close(pairs[3][0]);
  for (int index = 0; index < 3; index++) fcntl(pairs[index][0], F_SETFL, O_NONBLOCK);
  *process = (hr_process){
      .supervisor = pid,
      .output = pairs[0][0],
      .errors = pairs[1][0],
      .report = pairs[2][0],
      .control = pairs[3][1],
  };
  return 0;
}

int hr_status_did_exit(int status) { return WIFEXITED(status); }
int hr_status_exit_code(int status) { return WEXITSTATUS(status); }
int hr_status_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }
