/*
 * The plugin that `pagewalk record --engine qemu` loads into QEMU's user-mode emulator: it counts the accesses and the
 * instructions of a program, and sends accesses to the recorder. `stream.ts` reads what is sent here.
 *
 * Two files in one folder connect all processes of a recording: a pipe, and counters that they share by mmap. The pipe
 * is opened anew for each frame: programs close descriptors that they do not know, or put files of their own there.
 * A frame is one write of at most PIPE_BUF bytes, so frames of several processes take turns and never mix (pipe(7)).
 *
 * Debian ships no plugin header, so what is used is declared here: QEMU, "QEMU TCG Plugins", API version 1.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { NO_REGISTERS = 0, LOADS_AND_STORES = 3 };
extern void qemu_plugin_register_vcpu_init_cb(plugin_id, void (*)(plugin_id, unsigned));
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), int, void *);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned, void *), int, void *);
extern void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, void (*)(unsigned, uint32_t, uint64_t, void *), int, int, void *);
extern void qemu_plugin_register_vcpu_syscall_cb(plugin_id, void (*)(plugin_id, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t));
extern void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
extern size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
extern unsigned qemu_plugin_mem_size_shift(uint32_t);
extern bool qemu_plugin_mem_is_store(uint32_t);
extern const char *qemu_plugin_path_to_binary(void);

EXPORT int qemu_plugin_version = 1;

/* What all processes of a recording share; the recorder writes the file before it starts the first. */
struct shared {
  _Atomic uint64_t position; /* accesses of all processes so far */
  uint64_t skip;             /* of these the first that are only counted */
  uint64_t fetches;          /* 1: instruction fetches are accesses too */
};
static struct shared *shared;

/* A batch is what a thread counts on its own before it looks at the shared counters. */
enum { BATCH = 4096, VCPUS = 4096, FRAME_BYTES = PIPE_BUF, FRAME_WORDS = FRAME_BYTES / 8 };

/* One thread of the program; apart by 128 bytes, since two cores that write to one line slow each other down. */
struct vcpu {
  uint64_t left; /* accesses until the batch ends */
  bool recording;
  uint64_t counted; /* accesses in all batches */
  uint64_t instructions;
  /* The last access that was recorded, while a second one of the same instruction may join it. */
  uint64_t moment, instruction, frame;
  uint64_t *joinable;
} __attribute__((aligned(128)));
static struct vcpu vcpus[VCPUS];
static atomic_uint threads;

enum frame { BEGIN = 1, FORKED, ACCESSES, END, AWAY };
enum kind { FETCH, LOAD, STORE, MODIFY };
enum { KIND_SHIFT = 56, SIZE_SHIFT = 58, LARGEST_JOINED = 32 };
#define ADDRESS_MASK ((1ull << KIND_SHIFT) - 1)

/* Frames have two words of head: type and process, then how many bytes follow. */
static uint64_t buffer[FRAME_WORDS];
static size_t used = 2;
static uint64_t frames;
static char pipe_path[PATH_MAX], folder[PATH_MAX];
static atomic_flag lock = ATOMIC_FLAG_INIT;

static void take_lock(void) {
  while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) sched_yield();
}
static void give_lock(void) { atomic_flag_clear_explicit(&lock, memory_order_release); }

/* Without a reader nobody waits for this program, and its accesses are lost: it ends as one does whose pipe closes. */
static void give_up(const char *why) {
  if (errno != ENXIO && errno != EPIPE) fprintf(stderr, "pagewalk: %s '%s': %s\n", why, pipe_path, strerror(errno));
  raise(SIGKILL);
}

/* A write to a pipe whose reader has gone raises SIGPIPE, which the program may ignore: then it returns EPIPE. */
static void send_frame(enum frame type, uint64_t *words, size_t bytes) {
  words[0] = type | (uint64_t)getpid() << 32;
  words[1] = bytes;
  int fd = open(pipe_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) give_up("cannot open");
  while (write(fd, words, 16 + bytes) < 0) {
    if (errno == EAGAIN) poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
    else if (errno != EINTR) give_up("cannot write to");
  }
  close(fd);
}

static void send_text(enum frame type, const char *text) {
  uint64_t words[FRAME_WORDS];
  size_t bytes = strnlen(text, FRAME_BYTES - 16);
  memcpy(words + 2, text, bytes);
  send_frame(type, words, bytes);
}

/* The lock must be held. */
static void flush(void) {
  if (used > 2) send_frame(ACCESSES, buffer, 8 * (used - 2));
  used = 2;
  frames++;
}

/* Sends what a process counted since it began, its frames before it. */
static void send_end(void) {
  uint64_t words[5] = {[4] = atomic_load(&threads)};
  for (size_t i = 0; i < VCPUS; i++) {
    words[2] += vcpus[i].counted - vcpus[i].left;
    words[3] += vcpus[i].instructions;
  }
  take_lock();
  flush();
  send_frame(END, words, 24);
  give_lock();
}

static void forget_counts(void) {
  for (size_t i = 0; i < VCPUS; i++) {
    vcpus[i].counted = vcpus[i].left;
    vcpus[i].instructions = 0;
    vcpus[i].joinable = NULL;
  }
}

/* Takes the next batch; recording begins with a batch of its own. */
static void __attribute__((noinline)) next_batch(struct vcpu *v) {
  uint64_t at = atomic_load(&shared->position), batch;
  do {
    v->recording = at >= shared->skip;
    batch = v->recording || shared->skip - at > BATCH ? BATCH : shared->skip - at;
  } while (!atomic_compare_exchange_weak(&shared->position, &at, at + batch));
  v->left = batch;
  v->counted += batch;
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

static void record(struct vcpu *v, enum kind kind, uint64_t address, uint64_t size, uint64_t instruction) {
  bool several = atomic_load_explicit(&threads, memory_order_relaxed) > 1;
  if (several) take_lock();
  address &= ADDRESS_MASK;
  bool same = v->joinable == &buffer[used - 1] && v->frame == frames && v->moment == v->instructions && v->instruction == instruction;
  if (!same || !join(v, kind, address, size)) {
    if (used == FRAME_WORDS) flush();
    buffer[used++] = address | (uint64_t)kind << KIND_SHIFT | size << SIZE_SHIFT;
    v->joinable = kind == FETCH ? NULL : &buffer[used - 1];
    v->frame = frames;
    v->moment = v->instructions;
    v->instruction = instruction;
  }
  if (several) give_lock();
}

static void on_memory(unsigned cpu, uint32_t info, uint64_t address, void *instruction) {
  struct vcpu *v = &vcpus[cpu % VCPUS];
  if (v->left == 0) next_batch(v);
  v->left--;
  if (!v->recording) return;
  record(v, qemu_plugin_mem_is_store(info) ? STORE : LOAD, address, 1ull << qemu_plugin_mem_size_shift(info), (uint64_t)instruction);
}

/* `what` is an address and, in the bits above it, a size. */
static void on_fetch(unsigned cpu, void *what) {
  struct vcpu *v = &vcpus[cpu % VCPUS];
  if (v->left == 0) next_batch(v);
  v->left--;
  if (v->recording) record(v, FETCH, (uint64_t)what, (uint64_t)what >> SIZE_SHIFT, 0);
}

static void on_block(unsigned cpu, void *instructions) { vcpus[cpu % VCPUS].instructions += (uint64_t)instructions; }

static void on_translation(plugin_id id, struct qemu_plugin_tb *tb) {
  (void)id;
  /* Only now does QEMU know which program it runs. */
  static atomic_flag begun = ATOMIC_FLAG_INIT;
  if (!atomic_flag_test_and_set(&begun)) send_text(BEGIN, qemu_plugin_path_to_binary());
  size_t instructions = qemu_plugin_tb_n_insns(tb);
  qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, NO_REGISTERS, (void *)instructions);
  for (size_t i = 0; i < instructions; i++) {
    struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
    uint64_t address = qemu_plugin_insn_vaddr(insn);
    if (shared->fetches) {
      uint64_t what = (address & ADDRESS_MASK) | (uint64_t)qemu_plugin_insn_size(insn) << SIZE_SHIFT;
      qemu_plugin_register_vcpu_insn_exec_cb(insn, on_fetch, NO_REGISTERS, (void *)what);
    }
    qemu_plugin_register_vcpu_mem_cb(insn, on_memory, NO_REGISTERS, LOADS_AND_STORES, (void *)address);
  }
}

/* FOLLOWED: QEMU can run it; LEAVES: Linux can, QEMU cannot, since it is for another machine or gets more rights. */
enum way { FOLLOWED, LEAVES, NO_PROGRAM };

static enum way way_of(const char *path, char *head, size_t bytes) {
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return access(path, X_OK) == 0 ? LEAVES : NO_PROGRAM;
  ssize_t got = read(fd, head, bytes - 1);
  bool ordinary = fstat(fd, &st) == 0 && !(st.st_mode & (S_ISUID | S_ISGID)) && fgetxattr(fd, "security.capability", NULL, 0) < 0;
  close(fd);
  if (got < 4) return NO_PROGRAM;
  head[got] = 0;
  if (head[0] == '#' && head[1] == '!') return ordinary ? FOLLOWED : LEAVES;
  const Elf64_Ehdr *elf = (const Elf64_Ehdr *)head;
  if (memcmp(head, ELFMAG, SELFMAG) != 0) return NO_PROGRAM;
#ifdef __aarch64__
  uint16_t machine = EM_AARCH64;
#else
  uint16_t machine = EM_X86_64;
#endif
  bool native = got >= (ssize_t)sizeof *elf && elf->e_ident[EI_CLASS] == ELFCLASS64 && elf->e_machine == machine;
  return native && ordinary ? FOLLOWED : LEAVES;
}

/* Commas end an option of QEMU's; two stand for one. */
static char *double_commas(char *to, const char *from) {
  for (; *from; *to++ = *from++)
    if (*from == ',') *to++ = ',';
  *to = 0;
  return to;
}

/*
 * A program replaces itself: QEMU would let it go, so it is started again under QEMU and this plugin. Scripts are
 * resolved as Linux does (execve(2), "Interpreter scripts"). Returns when execve itself will fail or say why.
 */
static void follow(const char *path, char *const *argv, char *const *envp) {
  enum { SCRIPTS = 4, ARGUMENTS_BEFORE = 6 + 3 * SCRIPTS };
  static char heads[SCRIPTS + 1][512], qemu[PATH_MAX], option[4 * PATH_MAX];
  const char *before[2 * SCRIPTS + 1];
  size_t count = 0, words = 0;
  if (strcmp(path, "/proc/self/exe") == 0) path = qemu_plugin_path_to_binary();
  if (path == NULL || access(path, X_OK) != 0) return;
  const char *program = path, *name = argv != NULL && argv[0] != NULL ? argv[0] : path;
  /* The words of nested scripts, innermost first. */
  for (size_t depth = 0; ; depth++) {
    char *head = heads[depth];
    enum way way = way_of(program, head, sizeof heads[0]);
    if (way == NO_PROGRAM) return;
    if (way == LEAVES) {
      send_end();
      forget_counts();
      send_text(AWAY, path);
      return;
    }
    if (head[0] != '#') break;
    if (depth == SCRIPTS) return;
    head[strcspn(head, "\n")] = 0;
    char *interpreter = head + 2 + strspn(head + 2, " \t"), *rest = interpreter + strcspn(interpreter, " \t");
    before[count++] = program;
    if (*rest != 0) {
      *rest++ = 0;
      rest += strspn(rest, " \t");
      for (size_t n = strlen(rest); n > 0 && (rest[n - 1] == ' ' || rest[n - 1] == '\t'); n--) rest[n - 1] = 0;
      if (*rest != 0) before[count++] = rest;
    }
    name = program = interpreter;
    if (access(program, X_OK) != 0) return;
  }
  ssize_t length = readlink("/proc/self/exe", qemu, sizeof qemu - 1);
  Dl_info self;
  if (length < 0 || dladdr((void *)&follow, &self) == 0) return;
  qemu[length] = 0;
  char *end = double_commas(option, self.dli_fname);
  end = stpcpy(end, ",folder=");
  double_commas(end, folder);
  while (argv != NULL && argv[words] != NULL) words++;
  char **all = calloc(words + ARGUMENTS_BEFORE, sizeof *all);
  if (all == NULL) return;
  size_t n = 0;
  all[n++] = qemu;
  all[n++] = "-plugin";
  all[n++] = option;
  all[n++] = "-0";
  all[n++] = (char *)name;
  all[n++] = (char *)program;
  while (count > 0) all[n++] = (char *)before[--count];
  for (size_t i = 1; i < words; i++) all[n++] = argv[i];
  send_end();
  forget_counts();
  execve(qemu, all, envp);
  free(all);
}

static void on_syscall(plugin_id id, unsigned cpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                       uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
  (void)id, (void)cpu, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
  if (number == SYS_execve) follow((const char *)a1, (char *const *)a2, (char *const *)a3);
  if (number == SYS_execveat) send_text(AWAY, "execveat");
}

static void before_fork(void) {
  take_lock();
  flush();
}
static void after_fork(void) { give_lock(); }
static void in_child(void) {
  forget_counts();
  atomic_store(&threads, 1);
  give_lock();
  send_text(FORKED, qemu_plugin_path_to_binary());
}

static void on_thread(plugin_id id, unsigned cpu) {
  (void)id, (void)cpu;
  atomic_fetch_add(&threads, 1);
}

static void on_end(plugin_id id, void *nothing) {
  (void)id, (void)nothing;
  send_end();
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
  (void)info;
  if (argc != 1 || strncmp(argv[0], "folder=", 7) != 0) return 1;
  snprintf(folder, sizeof folder, "%s", argv[0] + 7);
  if (snprintf(pipe_path, sizeof pipe_path, "%s/accesses", folder) >= (int)sizeof pipe_path) return 1;
  char path[PATH_MAX + 16];
  snprintf(path, sizeof path, "%s/shared", folder);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return 1;
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (shared == MAP_FAILED) return 1;
  pthread_atfork(before_fork, after_fork, in_child);
  qemu_plugin_register_vcpu_init_cb(id, on_thread);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_vcpu_syscall_cb(id, on_syscall);
  qemu_plugin_register_atexit_cb(id, on_end, NULL);
  return 0;
}
