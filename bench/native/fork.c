/* fork: whole tables in one pass, as src/kernel/vmas/fork.ts does it; and the fork of the host's own kernel. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reference.h"

enum { MAP_EXCLUSIVE = (int)0x80000000 };

struct forker {
  long entries, flushed;
  uint64_t *parent, *child; /* page tables, one after the other */
  int32_t *map;             /* mappings of each frame, and whether its owner is the only one */
};

uint64_t cpu_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

struct forker *new_forker(long entries, int shuffled) {
  struct forker *f = calloc(1, sizeof *f);
  f->entries = entries;
  f->parent = aligned_alloc(4096, (size_t)entries * 8);
  f->child = aligned_alloc(4096, (size_t)entries * 8);
  f->map = calloc((size_t)entries, sizeof *f->map);
  for (long i = 0; i < entries; i++) {
    f->parent[i] = ((uint64_t)i << 12) | PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D;
    f->map[i] = 1 | MAP_EXCLUSIVE;
  }
  for (long i = entries - 1; shuffled && i > 0; i--) {
    long j = (long)(((uint64_t)mix((uint32_t)i) * (uint64_t)(i + 1)) >> 32);
    uint64_t entry = f->parent[i];
    f->parent[i] = f->parent[j];
    f->parent[j] = entry;
  }
  return f;
}

/* Every entry of the copy is written, absent ones too: so its table need not hold zeros first. */
static void copy_table(struct forker *f, const long first) {
  uint64_t *parent = f->parent + first;
  uint64_t *child = f->child + first;
  int32_t *maps = f->map;
  long flushed = 0;
  for (int i = 0; i < 512; i++) {
    uint64_t entry = parent[i];
    if (entry & PTE_P) {
      int32_t *map = &maps[(entry & PTE_FRAME) >> 12];
      *map = (*map & ~MAP_EXCLUSIVE) + 1;
    }
    child[i] = entry & ~(uint64_t)(PTE_RW | PTE_A);
    if (entry & PTE_RW) {
      parent[i] = entry & ~(uint64_t)PTE_RW;
      flushed++;
    }
  }
  f->flushed += flushed;
}

uint64_t fork_once(struct forker *f) {
  uint64_t began = cpu_now();
  for (long first = 0; first < f->entries; first += 512) copy_table(f, first);
  uint64_t spent = cpu_now() - began;
  for (long i = 0; i < f->entries; i++) {
    f->map[i] = 1 | MAP_EXCLUSIVE;
    f->parent[i] |= PTE_RW;
  }
  return spent;
}

/* What the kernel of this machine needs for as many 4 KiB pages; 0 when it refuses. */
uint64_t host_fork(long entries) {
  size_t bytes = (size_t)entries * 4096;
  char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 0;
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  for (size_t at = 0; at < bytes; at += 4096) memory[at] = 1;
  uint64_t began = cpu_now();
  pid_t child = fork();
  if (child == 0) _exit(0);
  uint64_t spent = cpu_now() - began;
  if (child > 0) waitpid(child, NULL, 0);
  munmap(memory, bytes);
  return child > 0 ? spent : 0;
}
