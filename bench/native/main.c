/*
 * The reference that ratios are made against: it answers one request a line on standard input, "PATH PATTERN", with
 * nanoseconds of its own CPU time, a checksum of what it loaded and, of a modelled TLB, its counts. Each request begins
 * with empty TLBs. It stays alive between requests, so that it and its rivals can take turns. PATH/N is the same path
 * by N threads, fewer loads each, in nanoseconds of wall time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "reference.h"

enum { LOADS = 1 << 22, THREAD_LOADS = 1 << 20, CHUNK = 4096, PATTERNS = 4 };
enum { DATA_BYTES = 64 << 20, RAM_BYTES = 128 << 20, DATA_FRAME = (RAM_BYTES - DATA_BYTES) >> 12 };
enum { SMALL_INDEX = 2, LARGE_INDEX = 4 }; /* entries of the root table: 1 TiB and 2 TiB */
static const uint64_t SMALL_BASE = (uint64_t)SMALL_INDEX << 39, LARGE_BASE = (uint64_t)LARGE_INDEX << 39;

static const uint64_t TABLE = PTE_P | PTE_RW | PTE_US;

static void map_data(struct machine *m) {
  uint64_t *ram = m->ram;
  const uint64_t root = 1, small_pdpt = 2, small_pd = 3, large_pdpt = 4, large_pd = 5, first_pt = 6;
  ram[(root << 9) + SMALL_INDEX] = small_pdpt << 12 | TABLE;
  ram[(root << 9) + LARGE_INDEX] = large_pdpt << 12 | TABLE;
  ram[small_pdpt << 9] = small_pd << 12 | TABLE;
  ram[large_pdpt << 9] = large_pd << 12 | TABLE;
  for (uint64_t page = 0; page < DATA_BYTES >> 21; page++) {
    uint64_t frame = DATA_FRAME + (page << 9);
    ram[(small_pd << 9) + page] = (first_pt + page) << 12 | TABLE;
    ram[(large_pd << 9) + page] = frame << 12 | PTE_PS | TABLE;
    for (uint64_t i = 0; i < 512; i++) ram[((first_pt + page) << 9) + i] = (frame + i) << 12 | TABLE;
  }
  uint32_t *words = (uint32_t *)ram + ((uint64_t)DATA_FRAME << 10);
  for (uint32_t i = 0; i < DATA_BYTES / 4; i++) words[i] = mix(i);
  m->cr3 = root << 12;
}

static void start_machine(struct machine *m) {
  m->ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (m->ram == MAP_FAILED) exit(1);
  m->frames = RAM_BYTES >> 12;
  m->reserved = PTE_XD | 0x000fff0000000000ull; /* 40 physical address bits, no-execute off */
  for (int level = 0; level < LEVELS; level++) m->page_reserved[level] = m->reserved;
  m->page_reserved[1] |= 0x1fe000;
  m->page_reserved[2] |= 0x3fffe000;
  m->page_reserved[3] |= PTE_PS;
  for (int access = 0; access < ACCESS_KINDS; access++) {
    uint32_t rights = (access & USER ? PTE_US : 0) | (access & WRITE ? PTE_RW : 0);
    m->needed[access] = m->expected[access] = rights;
  }
  map_data(m);
}

static uint64_t *make_pattern(char pattern) {
  uint64_t *addresses = malloc(LOADS * sizeof *addresses);
  uint32_t bytes = pattern == 'b' ? 256 << 10 : DATA_BYTES;
  uint64_t base = pattern == 'd' ? LARGE_BASE : SMALL_BASE;
  for (uint32_t i = 0; i < LOADS; i++)
    addresses[i] = base + ((pattern == 'a' ? i * 64 : mix(i) << 2) & (bytes - 1));
  return addresses;
}

struct rig {
  struct soft *soft;
  struct modelled *modelled;
  uint64_t *addresses;
  struct core *cores;
};

static long run_chunk(struct machine *m, struct rig *rig, const char *path, const struct batch *b) {
  if (!strcmp(path, "soft")) return soft_batch(rig->soft, b);
  if (!strcmp(path, "call")) return soft_calls(rig->soft, b);
  if (!strcmp(path, "walk")) return walk_batch(m, b);
  if (!strcmp(path, "modelled")) return modelled_batch(rig->modelled, b);
  if (!strcmp(path, "modelled-call")) return modelled_calls(rig->modelled, b);
  return -1;
}

static void answer_loads(struct machine *m, struct rig *rig, const char *path) {
  static uint32_t values[CHUNK];
  uint32_t sum = 0;
  flush_soft(rig->soft);
  flush_modelled(rig->modelled);
  uint64_t began = cpu_now();
  for (long done = 0; done < LOADS; done += CHUNK) {
    struct batch b = {rig->addresses + done, values, CHUNK};
    if (run_chunk(m, rig, path, &b) != CHUNK) exit(1);
    sum += values[0] + values[CHUNK - 1];
  }
  printf("%llu %u ", (unsigned long long)(cpu_now() - began), sum);
  if (!strncmp(path, "modelled", 8)) print_counts(rig->modelled);
  printf("\n");
}

static void answer_threads(struct rig *rig, const char *path, int threads) {
  uint32_t sum = 0;
  if (threads < 1 || threads > MAX_THREADS) exit(1);
  uint64_t nanoseconds = run_cores(rig->cores, threads, path, THREAD_LOADS, &sum);
  printf("%llu %u\n", (unsigned long long)nanoseconds, sum);
}

int main(void) {
  static struct machine machine;
  static struct rig rigs[PATTERNS];
  struct forker *forkers[2] = {NULL, NULL};
  char path[16], what[16];
  start_machine(&machine);
  while (scanf("%15s %15s", path, what) == 2) {
    if (!strcmp(path, "fork")) {
      int shuffled = !strcmp(what, "shuffled");
      if (forkers[shuffled] == NULL) forkers[shuffled] = new_forker(1 << 18, shuffled);
      printf("%llu 0\n", (unsigned long long)fork_once(forkers[shuffled]));
    } else if (!strcmp(path, "host-fork")) {
      printf("%llu 0\n", (unsigned long long)host_fork(1 << 16));
    } else {
      struct rig *rig = &rigs[(what[0] - 'a') & (PATTERNS - 1)];
      if (rig->addresses == NULL) {
        rig->addresses = make_pattern(what[0]);
        rig->soft = new_soft(&machine);
        rig->modelled = new_modelled(&machine);
        rig->cores = new_cores(&machine, rig->addresses);
      }
      char *threads = strchr(path, '/');
      if (threads == NULL) {
        answer_loads(&machine, rig, path);
      } else {
        *threads = 0;
        answer_threads(rig, path, atoi(threads + 1));
      }
    }
    fflush(stdout);
  }
  return 0;
}
