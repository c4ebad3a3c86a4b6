"""The wall clock of a process, set forth and back as the kernel's would be, and no other clock."""

import os
import struct
import subprocess

CLOCK_SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>

/* Shifts the wall clock, and no other, by the seconds in the file WALL_CLOCK_SHIFT. */
static volatile long long *shift(void) {
  static volatile long long *seconds;
  static volatile long long none;
  if (!seconds) {
    const char *path = getenv("WALL_CLOCK_SHIFT");
    int file = path ? open(path, O_RDONLY) : -1;
    void *at = file < 0 ? MAP_FAILED : mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
    seconds = at == MAP_FAILED ? &none : at;
  }
  return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, time);
  if (clock == CLOCK_REALTIME && !result) time->tv_sec += *shift();
  return result;
}

int gettimeofday(struct timeval *time, void *zone) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (time) { time->tv_sec = now.tv_sec; time->tv_usec = now.tv_nsec / 1000; }
  return 0;
}

int timespec_get(struct timespec *time, int base) {
  clock_gettime(CLOCK_REALTIME, time);
  return base;
}

/* As the kernel's waits do: until the shifted clock says so, however it is set meanwhile. Waits by other clocks are far
   away from it. */
typedef int wait_function(void *, void *, const struct timespec *);

static int wait_until(wait_function *real, void *condition, void *mutex, const struct timespec *moment, int timed_out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  long long distance = moment->tv_sec - now.tv_sec;
  if (distance < -1000000 || distance > 1000000) return real(condition, mutex, moment);
  for (;;) {
    clock_gettime(CLOCK_REALTIME, &now);
    long long left = (moment->tv_sec - now.tv_sec) * 1000000000LL + moment->tv_nsec - now.tv_nsec;
    long long step = left < 0 ? 0 : left < 20000000 ? left : 20000000;
    struct timespec end = {now.tv_sec - *shift(), now.tv_nsec + step};
    if (end.tv_nsec >= 1000000000) { end.tv_sec++; end.tv_nsec -= 1000000000; }
    int result = real(condition, mutex, &end);
    if (result != timed_out || left <= 0) return result;
  }
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *moment) {
  static wait_function *real;
  if (!real) real = (wait_function *)dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  return wait_until(real, condition, mutex, moment, ETIMEDOUT);
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *moment) {
  static wait_function *real;
  if (!real) real = (wait_function *)dlsym(RTLD_NEXT, "cnd_timedwait");
  return wait_until(real, condition, mutex, moment, thrd_timedout);
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result) *result = now.tv_sec;
  return now.tv_sec;
}
"""


class WallClock:
    """The wall clock of processes that are started with `environment`."""

    def __init__(self, folder):
        source, library = folder / "clock.c", folder / "clock.so"
        source.write_text(CLOCK_SHIM)
        compiler = next(name for name in ("cc", "gcc", "clang") if subprocess.run(
            ["which", name], capture_output=True, check=False).returncode == 0)
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        self.path = folder / "shift"
        self.set(0)
        self.environment = {"LD_PRELOAD": str(library), "WALL_CLOCK_SHIFT": str(self.path)}

    def set(self, seconds):
        # In place: the file is mapped.
        file = os.open(self.path, os.O_RDWR | os.O_CREAT)
        os.pwrite(file, struct.pack("<q", seconds), 0)
        os.close(file)
