/* Tells the recorder of the mappings of a process as they come and go, and how much of them is resident. */
#define _GNU_SOURCE
#include "plugin.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_HUGEPAGE
#define MADV_HUGEPAGE 14
#define MADV_NOHUGEPAGE 15
#endif

/* What happened to the addresses from `start` to `end`. */
enum change { MAPPED = 1, UNMAPPED, PROTECTED, ADVISED, MOVED, BREAK };

/* A change: six words and a name. What `more` and `still_more` are depends on it. */
static void send_change(enum change change, uint64_t start, uint64_t end, uint64_t more, uint64_t still_more, const char *name) {
  uint64_t words[HEAD_WORDS + 6 + PATH_MAX / 8] = {[HEAD_WORDS] = change, start, end, more, still_more, position_now()};
  size_t room = FRAME_BYTES - 8 * (HEAD_WORDS + 6), bytes = strnlen(name, room);
  memcpy(words + HEAD_WORDS + 6, name, bytes);
  send_frame(REGION, words, 48 + bytes);
}

/* Linux's protection in bits 0 to 2, mmap's flags above. */
static void send_mapped(uint64_t start, uint64_t bytes, int protection, int flags, uint64_t offset, const char *name) {
  send_change(MAPPED, start, start + bytes, (uint64_t)(unsigned)flags << 3 | (protection & 7), offset, name);
}

static char *read_file(const char *path) {
  size_t used = 0, room = 1 << 16;
  char *text = malloc(room);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = 0;
  while (text != NULL && fd >= 0 && (got = read(fd, text + used, room - used - 1)) > 0) {
    used += got;
    if (room - used < 4096) {
      char *more = realloc(text, room *= 2);
      if (more == NULL) break;
      text = more;
    }
  }
  if (fd >= 0) close(fd);
  if (text != NULL) text[used] = 0;
  return text;
}

/* Ends a line of a text with 0, as sscanf looks for the end of the text each time. The next line; NULL after the last. */
static char *end_line(char *line) {
  char *end = strchr(line, '\n');
  if (end == NULL) return NULL;
  *end = 0;
  return end[1] == 0 ? NULL : end + 1;
}

/* QEMU's own mappings, from before it loads the program. */
static char *before;

void note_own_mappings(void) {
  if (before == NULL) before = read_file("/proc/self/maps");
}

static bool begins_a_line(const char *text, const char *line, size_t bytes) {
  for (; text != NULL; text = strchr(text, '\n'), text = text == NULL ? NULL : text + 1)
    if (strncmp(text, line, bytes) == 0) return true;
  return false;
}

/* QEMU's libraries and what it allocates for itself lie close together, far from what it maps for the program. */
static bool is_near_qemu(uint64_t address) {
  enum { NEAR_SHIFT = 40 };
  return address >> NEAR_SHIFT == (uint64_t)&is_near_qemu >> NEAR_SHIFT;
}

/*
 * What is mapped now and was not before is the program's, but for what QEMU took for itself meanwhile. QEMU maps code
 * without the right to execute. The stack is the memory above a guard page.
 */
void send_first_mappings(void) {
  char *now = read_file("/proc/self/maps");
  uint64_t guard_end = 0, code = qemu_plugin_start_code(), code_end = qemu_plugin_end_code();
  for (char *line = now, *next; line != NULL; line = next) {
    next = end_line(line);
    unsigned long start, end, offset;
    char permissions[5];
    int name_at = 0;
    if (sscanf(line, "%lx-%lx %4s %lx %*s %*s %n", &start, &end, permissions, &offset, &name_at) < 4) continue;
    const char *name = line + name_at;
    if (strcmp(name, "[heap]") == 0 || begins_a_line(before, line, strcspn(line, " ")) || is_near_qemu(start)) continue;
    int protection = (permissions[0] == 'r') | (permissions[1] == 'w') << 1 | (permissions[2] == 'x') << 2;
    if (start < code_end && end > code) protection |= PROT_EXEC;
    if (*name == 0 && protection == 0) guard_end = end;
    if (*name == 0 && start == guard_end && protection == (PROT_READ | PROT_WRITE)) name = "[stack]";
    send_mapped(start, end - start, protection, permissions[3] == 's' ? MAP_SHARED : MAP_PRIVATE, offset, name);
  }
  free(now);
  free(before);
  before = NULL;
}

/* What each of the process's mappings, QEMU's among them, has in RAM: proc(5), "/proc/pid/smaps". */
void send_resident(void) {
  enum { TRIPLES = (FRAME_WORDS - HEAD_WORDS - 1) / 3 };
  uint64_t words[FRAME_WORDS], start = 0, end = 0, first = 1;
  size_t count = 0;
  char *smaps = read_file("/proc/self/smaps");
  for (char *line = smaps, *next; line != NULL; line = next) {
    next = end_line(line);
    unsigned long a, b, kilobytes;
    if (sscanf(line, "%lx-%lx ", &a, &b) == 2) start = a, end = b;
    else if (sscanf(line, "Rss: %lu kB", &kilobytes) == 1 && kilobytes > 0) {
      uint64_t *triple = words + HEAD_WORDS + 1 + 3 * count++;
      triple[0] = start, triple[1] = end, triple[2] = 1024 * kilobytes;
    }
    if (count < TRIPLES) continue;
    words[HEAD_WORDS] = first;
    send_frame(RESIDENT, words, 8 + 24 * count);
    first = count = 0;
  }
  free(smaps);
  words[HEAD_WORDS] = first;
  send_frame(RESIDENT, words, 8 + 24 * count);
}

/* Pages of the process in RAM: proc(5), "/proc/pid/statm". */
static uint64_t pages_in_ram(void) {
  unsigned long pages = 0;
  char *statm = read_file("/proc/self/statm");
  if (statm != NULL) sscanf(statm, "%*u %lu", &pages);
  free(statm);
  return pages;
}

/* A look takes some milliseconds a GiB, and windows are many: while RAM stays as it is, one look is enough. */
void send_resident_if_changed(void) {
  enum { MATTERS = 64 };
  static _Atomic uint64_t looked_at, looked_for = UINT64_MAX;
  uint64_t pages = pages_in_ram(), before = looked_at, change = pages > before ? pages - before : before - pages;
  if (looked_for == place && change < before / MATTERS) return;
  looked_at = pages;
  looked_for = place;
  send_resident();
}

static void send_map_call(const uint64_t *a, uint64_t at) {
  char link[64], path[PATH_MAX] = "";
  if (!((int)a[3] & MAP_ANONYMOUS)) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", (int)a[4]);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
  }
  send_mapped(at, a[1], (int)a[2], (int)a[3], (int)a[3] & MAP_ANONYMOUS ? 0 : a[5], path);
}

/* The bytes mapped by shmat, for it does not say. */
static uint64_t length_at(uint64_t at) {
  char *maps = read_file("/proc/self/maps");
  uint64_t length = 0;
  for (char *line = maps, *next; line != NULL; line = next) {
    next = end_line(line);
    unsigned long start, end;
    if (sscanf(line, "%lx-%lx ", &start, &end) == 2 && start == at) length = end - start;
  }
  free(maps);
  return length;
}

void mappings_changed(int64_t number, const uint64_t *a, int64_t result) {
  if (result < 0 && result >= -4095) return;
  switch (number) {
  case SYS_mmap: send_map_call(a, result); break;
  case SYS_munmap: send_change(UNMAPPED, a[0], a[0] + a[1], 0, 0, ""); break;
  case SYS_mprotect: send_change(PROTECTED, a[0], a[0] + a[1], a[2] & 7, 0, ""); break;
  case SYS_mremap: send_change(MOVED, a[0], a[0] + a[1], result, a[2], ""); break;
  case SYS_madvise:
    if (a[2] == MADV_HUGEPAGE || a[2] == MADV_NOHUGEPAGE) send_change(ADVISED, a[0], a[0] + a[1], a[2] == MADV_HUGEPAGE ? 1 : 2, 0, "");
    break;
  case SYS_brk: send_change(BREAK, result, result, 0, 0, ""); break;
  case SYS_shmat: send_mapped(result, length_at(result), a[2] & 010000 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, 0, "/SYSV"); break;
  }
}
