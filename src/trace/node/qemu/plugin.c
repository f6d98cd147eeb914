/*
 * The plugin that `pagewalk record --engine qemu` loads into QEMU's user-mode emulator: it counts the accesses and the
 * instructions of a program, and leaves windows of the accesses to the recorder. `qemu-stream.ts` reads what is sent.
 *
 * Three files in one folder connect all processes of a recording: a pipe, counters that they share by mmap, and windows
 * of accesses. Accesses without windows come through the pipe, as all else does. The pipe is opened anew for each frame:
 * programs close descriptors that they do not know, or put files of their own there. A frame is one write of at most
 * PIPE_BUF bytes, so frames of several processes take turns and never mix (pipe(7)).
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

static void take_place(void) { place = atomic_fetch_add(&shared->places, 1); }

/* Where windows begin, as an offset from the program's code; 0: they need not wait for it. */
static uint64_t start_offset;

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

/* Of the system call that the thread is in. */
static __thread uint64_t arguments[6];

static void on_syscall(plugin_id id, unsigned cpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                       uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
  (void)id, (void)cpu, (void)a7, (void)a8;
  memcpy(arguments, (uint64_t[]){a1, a2, a3, a4, a5, a6}, sizeof arguments);
  if (number == SYS_execve) follow((const char *)a1, (char *const *)a2, (char *const *)a3);
  if (number == SYS_execveat) send_text(AWAY, NULL, 0, "execveat");
}

static void on_syscall_end(plugin_id id, unsigned cpu, int64_t number, int64_t result) {
  (void)id, (void)cpu;
  mappings_changed(number, arguments, result);
}

/* A copy of a process has what its threads had to send; they send it themselves. */
static void in_child(void) {
  forget_threads();
  take_place();
  send_text(FORKED, (uint64_t[]){place, getppid(), atomic_load(&shared->position)}, 3, qemu_plugin_path_to_binary());
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
