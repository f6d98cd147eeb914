/*
 * The plugin that `pagewalk record --engine qemu` loads into QEMU's user-mode emulator: it counts the accesses and the
 * instructions of a program, and leaves windows of the accesses to the recorder. `qemu-stream.ts` reads what is sent.
 *
 * Three files in one folder connect all processes of a recording: a pipe, counters that they share by mmap, and windows
 * of accesses. Accesses without windows come through the pipe, as all else does. The pipe is opened anew for each frame: programs close descriptors that they do not know, or put files of their own there.
 * A frame is one write of at most PIPE_BUF bytes, so frames of several processes take turns and never mix (pipe(7)).
 */
#define _GNU_SOURCE
#include "plugin.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = API_VERSION;

struct shared *shared;
uint64_t place;

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
  uint64_t arguments[6]; /* of the system call that it is in */
} __attribute__((aligned(128)));
static struct vcpu vcpus[VCPUS];
static atomic_uint highest;

enum kind { FETCH, LOAD, STORE, MODIFY };
enum { KIND_SHIFT = 56, SIZE_SHIFT = 58, LARGEST_JOINED = 32 };
#define ADDRESS_MASK ((1ull << KIND_SHIFT) - 1)

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

/* A thread ends, or its process does. */
static void end_thread(struct vcpu *v) {
  if (v->tid == 0) return;
  flush(v);
  give_back(v);
  uint64_t words[HEAD_WORDS + 3 + 2] = {[HEAD_WORDS] = v->number, counted(v), v->instructions};
  char path[64], *name = (char *)(words + HEAD_WORDS + 3);
  snprintf(path, sizeof path, "/proc/self/task/%d/comm", v->tid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t bytes = fd < 0 ? 0 : read(fd, name, 16);
  if (fd >= 0) close(fd);
  if (bytes > 0 && name[bytes - 1] == '\n') bytes--;
  send_frame(THREAD, words, 24 + (bytes > 0 ? bytes : 0));
  forget(v);
}

/* The thread that asks is at work itself: so much of its batch is not done yet. */
static __thread struct vcpu *mine;

uint64_t position_now(void) {
  uint64_t position = atomic_load(&shared->position);
  return mine == NULL ? position : position - not_made(mine);
}

void end_process(void) {
  send_resident();
  unsigned last = atomic_load(&highest);
  for (unsigned i = 0; i <= last; i++) end_thread(&vcpus[i]);
  uint64_t words[HEAD_WORDS];
  send_frame(END, words, 0);
}

/* Leaves what was counted where it outlives the process. */
static void tell(struct vcpu *v) {
  if (place < PLACES) {
    atomic_fetch_add(&shared->counted[place].accesses, counted(v) - v->told);
    atomic_fetch_add(&shared->counted[place].instructions, v->instructions - v->told_instructions);
  }
  v->told = counted(v);
  v->told_instructions = v->instructions;
}

static void take_place(void) { place = atomic_fetch_add(&shared->places, 1); }

static _Atomic uint64_t threads;

static void begin_thread(struct vcpu *v) {
  v->tid = gettid();
  v->left = &left;
  v->number = atomic_fetch_add(&threads, 1);
  send_frame(THREAD_BEGIN, (uint64_t[]){[HEAD_WORDS] = v->number, v->tid}, 16);
}

/*
 * Takes the next batch: up to BATCH accesses, all of a window or all between two. Windows lie at even distances. The
 * distance is a power of two of their length: the least that keeps them no more than `most`. `windows.ts` has the same.
 */
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
      uint64_t distance = length, run = at - from;
      while (run / distance >= most) distance *= 2;
      uint64_t into = run % distance;
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
  if (sending && at == v->window) send_resident();
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

static void on_memory(unsigned cpu, uint32_t info, uint64_t address, void *instruction) {
  if (__builtin_expect(left != 0, 1)) left--;
  else take_memory(cpu, info, address, instruction);
}

/* `what` is an address and, in the bits above it, a size. */
static void on_fetch(unsigned cpu, void *what) {
  if (__builtin_expect(left != 0, 1)) left--;
  else take(&vcpus[cpu % VCPUS], FETCH, (uint64_t)what, (uint64_t)what >> SIZE_SHIFT, 0);
}

static void on_block(unsigned cpu, void *instructions) { vcpus[cpu % VCPUS].instructions += (uint64_t)instructions; }

/* Where windows begin, as an offset from the program's code; 0: they need not wait for it. */
static uint64_t start_offset;

/* The program comes to the place where windows begin. */
static void on_start(unsigned cpu, void *nothing) {
  (void)nothing;
  struct vcpu *v = &vcpus[cpu % VCPUS];
  uint64_t not_yet = NOT_YET;
  if (atomic_load(&shared->from) != NOT_YET) return;
  give_back(v);
  atomic_compare_exchange_strong(&shared->from, &not_yet, atomic_load(&shared->position));
}

static void on_translation(plugin_id id, struct qemu_plugin_tb *tb) {
  (void)id;
  /* Only now does QEMU know which program it runs. */
  static atomic_flag begun = ATOMIC_FLAG_INIT;
  if (!atomic_flag_test_and_set(&begun)) {
    take_place();
    send_text(BEGIN, &place, 1, qemu_plugin_path_to_binary());
    send_first_mappings();
  }
  size_t instructions = qemu_plugin_tb_n_insns(tb);
  uint64_t start = start_offset == 0 ? 0 : qemu_plugin_start_code() + start_offset - 1;
  qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, NO_REGISTERS, (void *)instructions);
  for (size_t i = 0; i < instructions; i++) {
    struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
    uint64_t address = qemu_plugin_insn_vaddr(insn);
    if (start != 0 && address == start) qemu_plugin_register_vcpu_insn_exec_cb(insn, on_start, NO_REGISTERS, NULL);
    if (shared->fetches) {
      uint64_t what = (address & ADDRESS_MASK) | (uint64_t)qemu_plugin_insn_size(insn) << SIZE_SHIFT;
      qemu_plugin_register_vcpu_insn_exec_cb(insn, on_fetch, NO_REGISTERS, (void *)what);
    }
    qemu_plugin_register_vcpu_mem_cb(insn, on_memory, NO_REGISTERS, LOADS_AND_STORES, (void *)address);
  }
}

static void on_syscall(plugin_id id, unsigned cpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                       uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
  (void)id, (void)a7, (void)a8;
  mine = &vcpus[cpu % VCPUS];
  memcpy(mine->arguments, (uint64_t[]){a1, a2, a3, a4, a5, a6}, sizeof mine->arguments);
  if (number == SYS_execve) follow((const char *)a1, (char *const *)a2, (char *const *)a3);
  if (number == SYS_execveat) send_text(AWAY, NULL, 0, "execveat");
}

static void on_syscall_end(plugin_id id, unsigned cpu, int64_t number, int64_t result) {
  (void)id;
  mappings_changed(number, vcpus[cpu % VCPUS].arguments, result);
}

/* A copy of a process has what its threads had to send; they send it themselves. */
static void in_child(void) {
  for (unsigned i = 0, last = atomic_load(&highest); i <= last; i++) forget(&vcpus[i]);
  atomic_store(&threads, 0);
  left = 0;
  take_place();
  send_text(FORKED, (uint64_t[]){place, getppid(), atomic_load(&shared->position)}, 3, qemu_plugin_path_to_binary());
}

static void on_thread(plugin_id id, unsigned cpu) {
  (void)id;
  unsigned last = atomic_load(&highest), index = cpu % VCPUS;
  while (index > last && !atomic_compare_exchange_weak(&highest, &last, index)) continue;
}

static void on_thread_end(plugin_id id, unsigned cpu) {
  (void)id;
  end_thread(&vcpus[cpu % VCPUS]);
}

static void on_end(plugin_id id, void *nothing) {
  (void)id, (void)nothing;
  end_process();
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
  (void)info;
  for (int i = 0; i < argc; i++) {
    if (strncmp(argv[i], "folder=", 7) == 0) snprintf(folder, sizeof folder, "%s", argv[i] + 7);
    /* One more than the offset, so that 0 stands for none. */
    if (strncmp(argv[i], "start=", 6) == 0) start_offset = strtoull(argv[i] + 6, NULL, 10) + 1;
  }
  if (!choose_pipe()) return 1;
  note_own_mappings();
  char path[PATH_MAX + 16];
  snprintf(path, sizeof path, "%s/shared", folder);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return 1;
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (shared == MAP_FAILED || !prepare_windows()) return 1;
  pthread_atfork(NULL, NULL, in_child);
  qemu_plugin_register_vcpu_init_cb(id, on_thread);
  qemu_plugin_register_vcpu_exit_cb(id, on_thread_end);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_vcpu_syscall_cb(id, on_syscall);
  qemu_plugin_register_vcpu_syscall_ret_cb(id, on_syscall_end);
  qemu_plugin_register_atexit_cb(id, on_end, NULL);
  return 0;
}
