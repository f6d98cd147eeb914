/* What the files of the C reference share. The same workloads in TypeScript: bench/native/workload.ts. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <stdint.h>

enum { READ = 0, WRITE = 1, FETCH = 2, USER = 4, ACCESS_KINDS = 16 };
enum { FAULT = -1 };
enum { LEVELS = 4 };

#define PTE_P 1u
#define PTE_RW 2u
#define PTE_US 4u
#define PTE_A 0x20u
#define PTE_D 0x40u
#define PTE_PS 0x80u
#define PTE_G 0x100u
#define PTE_XD (1ull << 63)
#define PTE_FRAME 0x000ffffffffff000ull

#define RIGHT_XD 1u
#define RIGHT_DIRTY PTE_D

/* What a walk found. */
struct walk {
  uint32_t rights;
  int size, start_level, end_level;
  uint64_t tables[LEVELS]; /* the table below the entry of each level */
  uint32_t rights_after[LEVELS];
};

struct machine {
  uint64_t *ram;
  uint64_t frames;
  uint64_t cr3;
  uint64_t reserved; /* address bits that the processor does not have */
  uint64_t page_reserved[LEVELS];
  uint32_t needed[ACCESS_KINDS], expected[ACCESS_KINDS]; /* rights of an access */
};

struct batch {
  const uint64_t *addresses;
  uint32_t *values;
  long length;
};

static inline uint32_t load_word(const struct machine *m, int64_t frame, uint64_t address) {
  return ((const uint32_t *)m->ram)[(frame << 10) | ((address & 4095) >> 2)];
}

/* Each loads a batch by one translation path and gives how many loads were made. */
struct soft;
struct modelled;
struct soft *new_soft(struct machine *m);
long soft_batch(struct soft *s, const struct batch *b);
long soft_calls(struct soft *s, const struct batch *b);
long walk_batch(struct machine *m, const struct batch *b);
struct modelled *new_modelled(struct machine *m);
long modelled_batch(struct modelled *t, const struct batch *b);
long modelled_calls(struct modelled *t, const struct batch *b);
/* Hits of the first level and the second, walks, entries read: since the last flush. */
void print_counts(const struct modelled *t);
void flush_soft(struct soft *s);
void flush_modelled(struct modelled *t);

/* `loads` loads by each of one or two threads (path soft, walk or modelled): nanoseconds of wall time to the end of the
 * slower one; `sum` is that of the words each one loaded: exits when one's differs from another's. */
enum { MAX_THREADS = 2 };
struct core;
struct core *new_cores(struct machine *m, const uint64_t *addresses);
uint64_t run_cores(struct core *cores, int threads, const char *path, long loads, uint32_t *sum);

/* fork: nanoseconds of CPU time for one, the child's undoing not counted. */
struct forker;
struct forker *new_forker(long entries, int shuffled);
uint64_t fork_once(struct forker *f);
uint64_t host_fork(long entries);
uint64_t cpu_now(void);

/* The finalizer of MurmurHash3, as in hw/random.ts. */
static inline uint32_t mix(uint32_t word) {
  word = (word ^ (word >> 16)) * 0x85ebca6bu;
  word = (word ^ (word >> 13)) * 0xc2b2ae35u;
  return word ^ (word >> 16);
}

#endif
