/*
 * The windows of a run, in a file: each has a slot there, and every process writes its accesses into it. Most windows of a
 * long run go again; another one takes their slot then, and they have cost nobody more than this. `window-file.ts` reads
 * those that stayed.
 *
 * A slot is 24 bytes of head and words of accesses, as in a frame. A word of no bytes before them tells whose they are.
 */
#define _GNU_SOURCE
#include "plugin.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct slot {
  uint64_t window;    /* where it begins in the run */
  uint64_t words;     /* of `content` that are whole */
  uint64_t allocated; /* bytes of the slot on the disk */
  uint64_t content[];
};
enum { NUMBER_SHIFT = 32, ALLOCATED_AT_ONCE = 1 << 18, PATIENCE_SECONDS = 5 };

static char path[PATH_MAX + 16];
/* The one slot of the file that is mapped: so the addresses in use are few, however many windows there are. */
static struct slot *slot;
static uint64_t mapped = UINT64_MAX;

bool prepare_windows(void) {
  if (shared->most == 0) return true;
  snprintf(path, sizeof path, "%s/windows", folder);
  slot = mmap(NULL, shared->slot_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  /* The first process of a recording: it is alone. A lock left behind by a process that was killed is free again. */
  if (slot != MAP_FAILED && atomic_load(&shared->places) == 0) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&shared->writing, &attributes);
    pthread_mutexattr_destroy(&attributes);
  }
  return slot != MAP_FAILED;
}

uint64_t distance_at(uint64_t index) {
  uint64_t distance = 1;
  while (index / distance >= shared->most) distance *= 2;
  return distance;
}

/*
 * The slot of the window that begins after `index` windows without a gap. When the distance doubles, every other window
 * goes, and each one that comes takes the slot of one that went: the first that of the first.
 */
static uint64_t slot_of(uint64_t index) {
  uint64_t half = (shared->most + 1) / 2;
  for (;;) {
    /* At this distance the window came, as one of the later half. */
    uint64_t distance = distance_at(index);
    if (distance == 1) return index;
    index = (2 * (index / distance - half) + 1) * (distance / 2);
  }
}

static void fail(int error) {
  uint64_t none = 0;
  atomic_compare_exchange_strong(&shared->failed, &none, error);
  raise(SIGKILL);
}

/*
 * Takes room on the disk before it is written to: a store into a mapping cannot say that the disk is full. Gives the bytes
 * of the slot that have room now.
 */
static uint64_t allocate(int fd, uint64_t index, uint64_t from) {
  uint64_t left = shared->slot_bytes - from, bytes = left < ALLOCATED_AT_ONCE ? left : ALLOCATED_AT_ONCE;
  int error;
  /* A signal of the program may come in between. */
  do error = posix_fallocate(fd, index * shared->slot_bytes + from, bytes);
  while (error == EINTR);
  if (error != 0) fail(error);
  return from + bytes;
}

static int open_windows(void) {
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) fail(errno);
  return fd;
}

static void map_slot(uint64_t index) {
  if (mapped == index) return;
  /* Another thread may fork in the midst: the child maps anew. */
  mapped = UINT64_MAX;
  int fd = open_windows();
  struct slot head = {0};
  if (pread(fd, &head, sizeof head, index * shared->slot_bytes) < 0) fail(errno);
  uint64_t allocated = head.allocated == 0 ? allocate(fd, index, 0) : head.allocated;
  if (mmap(slot, shared->slot_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, index * shared->slot_bytes) == MAP_FAILED) fail(errno);
  close(fd);
  slot->allocated = allocated;
  if (index >= shared->slots) shared->slots = index + 1;
  mapped = index;
}

/* False when it cannot be had: a process that was stopped in the midst must not stop all others. */
static bool begin_writing(void) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += PATIENCE_SECONDS;
  int error = pthread_mutex_timedlock(&shared->writing, &until);
  if (error == EOWNERDEAD) pthread_mutex_consistent(&shared->writing);
  return error == 0 || error == EOWNERDEAD;
}

void keep_accesses(uint64_t window, uint64_t number, const uint64_t *accesses, size_t count) {
  if (!begin_writing()) return;
  if (atomic_load(&shared->closed)) raise(SIGKILL);
  map_slot(slot_of((window - atomic_load(&shared->from)) / shared->length));
  if (slot->words == 0 || slot->window < window) {
    slot->words = 0;
    slot->window = window;
  }
  uint64_t needed = sizeof *slot + 8 * (slot->words + 1 + count);
  /* A thread that slept may come when its window has gone. Threads that end give back accesses of a window filled since. */
  if (slot->window == window && needed <= shared->slot_bytes) {
    if (needed > slot->allocated) {
      int fd = open_windows();
      while (needed > slot->allocated) slot->allocated = allocate(fd, mapped, slot->allocated);
      close(fd);
    }
    uint64_t *at = slot->content + slot->words;
    at[0] = (place & UINT32_MAX) | number << NUMBER_SHIFT;
    memcpy(at + 1, accesses, 8 * count);
    /* Only now are they there: who is killed before leaves nothing half-written. */
    __atomic_store_n(&slot->words, slot->words + 1 + count, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&shared->writing);
}
