/*
 * Counts the accesses and instructions of each thread, and says which accesses are kept: those of windows. The run is cut
 * into batches, and a thread has one at a time.
 */
#define _GNU_SOURCE
#include "plugin.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A batch is what a thread counts on its own before it looks at the shared counters. */
enum { BATCH = 4096, VCPUS = 4096 };

/* glibc has room for so small a thing in each thread's block: it is reached without a call. */
#ifdef __GLIBC__
#define NEAR __attribute__((tls_model("initial-exec")))
#else
#define NEAR
#endif
/*
 * Accesses of this thread that are only counted, until its batch ends. Each access counts it down: processors do that a
 * few cycles faster at a fixed place than at one that is worked out from the number of the thread.
 */
static __thread uint64_t left NEAR;

/* One thread of the program; apart by 128 bytes, since two cores that write to one line slow each other down. */
struct vcpu {
  uint64_t *left;   /* of this thread, while it is at work */
  uint64_t to_send; /* accesses that are sent, until the batch ends; one of both is 0 */
  uint64_t instructions;
  uint64_t claimed;     /* accesses in all batches */
  uint64_t told, told_instructions; /* of them those in `shared->counted` */
  uint64_t window;      /* where the window of the batch begins */
  uint64_t framed;      /* and that of the accesses in `frame` */
  uint64_t *frame;      /* room for a frame, once there is something to send */
  size_t used;          /* words of it */
  uint64_t *joinable;   /* the last access, while a second one of the same instruction may join it */
  uint64_t moment, instruction;
  uint64_t number;      /* of the threads of its process, in the order of their first work */
  pid_t tid;            /* 0 until the thread is at work */
} __attribute__((aligned(128)));
static struct vcpu vcpus[VCPUS];
static atomic_uint highest;
/* The one of the asking thread, once it is at work. */
static __thread struct vcpu *mine;

enum kind { FETCH, LOAD, STORE, MODIFY };
enum { LARGEST_JOINED = 32 };

/* A frame of accesses begins with the thread and the place in the run where recording began. */
enum { FIRST_ACCESS = HEAD_WORDS + 2 };

static void flush(struct vcpu *v) {
  if (v->used > FIRST_ACCESS && shared->most != 0) {
    keep_accesses(v->framed, v->number, v->frame + FIRST_ACCESS, v->used - FIRST_ACCESS);
  } else if (v->used > FIRST_ACCESS) {
    v->frame[HEAD_WORDS] = v->number;
    v->frame[HEAD_WORDS + 1] = v->framed;
    send_frame(ACCESSES, v->frame, 8 * (v->used - HEAD_WORDS));
  }
  v->used = FIRST_ACCESS;
  v->joinable = NULL;
}

/* Accesses of its batch that a thread has not made yet. */
static uint64_t not_made(const struct vcpu *v) { return (v->left == NULL ? 0 : *v->left) + v->to_send; }

static uint64_t counted(const struct vcpu *v) { return v->claimed - not_made(v); }

/* Begins to count anew, with a batch of its own. */
static void forget(struct vcpu *v) {
  v->left = NULL;
  v->claimed = v->to_send = v->instructions = v->told = v->told_instructions = 0;
  v->used = FIRST_ACCESS;
  v->joinable = NULL;
  v->tid = 0;
}

/* What nobody needs of a batch: the next one begins earlier. */
static void give_back(struct vcpu *v) {
  atomic_fetch_sub(&shared->position, not_made(v));
  v->claimed = counted(v);
  if (v->left != NULL) *v->left = 0;
  v->to_send = 0;
}

/* Leaves the counts in memory that outlives the process. */
static void tell(struct vcpu *v) {
  if (place < PLACES) {
    atomic_fetch_add(&shared->counted[place].accesses, counted(v) - v->told);
    atomic_fetch_add(&shared->counted[place].instructions, v->instructions - v->told_instructions);
  }
  v->told = counted(v);
  v->told_instructions = v->instructions;
}

/* A thread ends, or its process does: then others may be in the midst of their work, and they go on until Linux ends them. */
static void send_thread(struct vcpu *v) {
  if (v->tid == 0) return;
  flush(v);
  give_back(v);
  tell(v);
  uint64_t words[HEAD_WORDS + 3 + 2] = {[HEAD_WORDS] = v->number, counted(v), v->instructions};
  char path[64], *name = (char *)(words + HEAD_WORDS + 3);
  snprintf(path, sizeof path, "/proc/self/task/%d/comm", v->tid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t bytes = fd < 0 ? 0 : read(fd, name, 16);
  if (fd >= 0) close(fd);
  if (bytes > 0 && name[bytes - 1] == '\n') bytes--;
  send_frame(THREAD, words, 24 + (bytes > 0 ? bytes : 0));
  v->claimed = v->instructions = v->told = v->told_instructions = 0;
}

uint64_t position_now(void) {
  uint64_t position = atomic_load(&shared->position);
  return mine == NULL ? position : position - not_made(mine);
}

void end_process(void) {
  send_resident();
  unsigned last = atomic_load(&highest);
  for (unsigned i = 0; i <= last; i++) send_thread(&vcpus[i]);
  uint64_t words[HEAD_WORDS];
  send_frame(END, words, 0);
}

static _Atomic uint64_t threads;

static void begin_thread(struct vcpu *v) {
  mine = v;
  v->tid = gettid();
  v->left = &left;
  v->number = atomic_fetch_add(&threads, 1);
  send_frame(THREAD_BEGIN, (uint64_t[]){[HEAD_WORDS] = v->number, v->tid}, 16);
}

/* Takes the next batch: up to BATCH accesses, all of a window or all between two. */
static void __attribute__((noinline)) next_batch(struct vcpu *v) {
  tell(v);
  uint64_t at = atomic_load(&shared->position), most = shared->most, length = shared->length, batch;
  bool sending;
  do {
    uint64_t from = atomic_load(&shared->from), room;
    if (at < from) {
      sending = false;
      room = from - at;
    } else if (most == 0) {
      sending = true;
      v->window = from;
      room = BATCH;
    } else {
      uint64_t run = at - from, distance = length * distance_at(run / length), into = run % distance;
      sending = into < length;
      v->window = at - into;
      room = (sending ? length : distance) - into;
    }
    batch = room < BATCH ? room : BATCH;
  } while (!atomic_compare_exchange_weak(&shared->position, &at, at + batch));
  if (v->tid == 0) begin_thread(v);
  left = sending ? 0 : batch;
  v->to_send = sending ? batch : 0;
  v->claimed += batch;
  if (sending && at == v->window) send_resident_if_changed();
  if (!sending || v->framed != v->window) flush(v);
  v->framed = v->window;
  if (sending && v->frame == NULL) v->frame = calloc(1, FRAME_BYTES), v->used = FIRST_ACCESS;
}

/*
 * Makes one access of what QEMU splits: it loads 16 bytes as two times 8, and reads and writes where one instruction
 * does both. True when the access has joined the last one.
 */
static bool join(struct vcpu *v, enum kind kind, uint64_t address, uint64_t size) {
  uint64_t last = *v->joinable, last_address = last & ADDRESS_MASK, last_size = last >> SIZE_SHIFT;
  enum kind last_kind = last >> KIND_SHIFT & 3;
  if (last_kind == LOAD && kind == STORE && address == last_address && size == last_size) {
    *v->joinable = last | (uint64_t)MODIFY << KIND_SHIFT;
    return true;
  }
  if (kind != last_kind || address != last_address + last_size || size < 8 || last_size + size > LARGEST_JOINED) return false;
  *v->joinable = last + (size << SIZE_SHIFT);
  return true;
}

/* An access that does not count down `left`: the batch has ended, or accesses are sent. */
static void take(struct vcpu *v, enum kind kind, uint64_t address, uint64_t size, uint64_t instruction) {
  if (v->to_send == 0) next_batch(v);
  if (left > 0) {
    left--;
    return;
  }
  v->to_send--;
  address &= ADDRESS_MASK;
  bool same = v->joinable != NULL && v->moment == v->instructions && v->instruction == instruction;
  if (same && join(v, kind, address, size)) return;
  if (v->used == FRAME_WORDS) flush(v);
  v->frame[v->used++] = address | (uint64_t)kind << KIND_SHIFT | size << SIZE_SHIFT;
  v->joinable = kind == FETCH ? NULL : &v->frame[v->used - 1];
  v->moment = v->instructions;
  v->instruction = instruction;
}

/* In a function of its own, so that the one for every access has no registers to save. */
static void __attribute__((noinline)) take_memory(unsigned cpu, uint32_t info, uint64_t address, void *instruction) {
  enum kind kind = qemu_plugin_mem_is_store(info) ? STORE : LOAD;
  take(&vcpus[cpu % VCPUS], kind, address, 1ull << qemu_plugin_mem_size_shift(info), (uint64_t)instruction);
}

void on_memory(unsigned cpu, uint32_t info, uint64_t address, void *instruction) {
  if (__builtin_expect(left != 0, 1)) left--;
  else take_memory(cpu, info, address, instruction);
}

/* `what` is an address and a size, as in a word. */
void on_fetch(unsigned cpu, void *what) {
  if (__builtin_expect(left != 0, 1)) left--;
  else take(&vcpus[cpu % VCPUS], FETCH, (uint64_t)what, (uint64_t)what >> SIZE_SHIFT, 0);
}

void on_block(unsigned cpu, void *instructions) { vcpus[cpu % VCPUS].instructions += (uint64_t)instructions; }

/* The program comes to the place where windows begin. */
void on_start(unsigned cpu, void *nothing) {
  (void)nothing;
  struct vcpu *v = &vcpus[cpu % VCPUS];
  uint64_t not_yet = NOT_YET;
  if (atomic_load(&shared->from) != NOT_YET) return;
  give_back(v);
  atomic_compare_exchange_strong(&shared->from, &not_yet, atomic_load(&shared->position));
}

void on_thread(plugin_id id, unsigned cpu) {
  (void)id;
  unsigned last = atomic_load(&highest), index = cpu % VCPUS;
  while (index > last && !atomic_compare_exchange_weak(&highest, &last, index)) continue;
}

void on_thread_end(plugin_id id, unsigned cpu) {
  (void)id;
  struct vcpu *v = &vcpus[cpu % VCPUS];
  send_thread(v);
  forget(v);
}

void forget_threads(void) {
  for (unsigned i = 0, last = atomic_load(&highest); i <= last; i++) forget(&vcpus[i]);
  atomic_store(&threads, 0);
  left = 0;
}
