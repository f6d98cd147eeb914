/*
 * Translation paths: a walk a load, a soft TLB, a modelled TLB.
 *
 * A batch is translated in pieces of AT_ONCE addresses, and each piece is loaded after it: so the host's cache misses
 * overlap. Loading at once takes up to three times as long.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

#define INLINE static inline __attribute__((always_inline))
#define OUTLINE static __attribute__((noinline))

enum { AT_ONCE = 256 };

INLINE unsigned table_index(uint64_t address, int level) { return (address >> (12 + 9 * level)) & 511; }

INLINE uint32_t combine(uint32_t rights, uint64_t entry) {
  return (rights & entry & (PTE_RW | PTE_US)) | ((rights | (uint32_t)(entry >> 63)) & RIGHT_XD);
}

INLINE int canonical(uint64_t address) { return (uint64_t)(((int64_t)address >> 47) + 1) <= 1; }

/* The end of a walk that found its page: sets the bits it found missing, all of them after the last check. */
OUTLINE void mark(struct machine *m, int level, uint64_t table, uint64_t address, int access, int last) {
  for (;; level--) {
    uint64_t *entry = &m->ram[(table << 9) | table_index(address, level)];
    if (!(*entry & PTE_A)) __atomic_fetch_or(entry, PTE_A, __ATOMIC_RELAXED);
    if (level == last) {
      if ((access & WRITE) && !(*entry & PTE_D)) __atomic_fetch_or(entry, PTE_D, __ATOMIC_RELAXED);
      return;
    }
    table = (*entry & PTE_FRAME) >> 12;
  }
}

/* Walks from `table` at `level`. What a caller does not read of `out` costs nothing. */
INLINE int64_t walk_tables(struct machine *m, int level, uint64_t table, uint32_t rights, uint64_t address, int access,
                           struct walk *out) {
  const uint64_t *ram = m->ram;
  const uint64_t first_table = table;
  uint64_t entry, all = ~0ull;
  out->start_level = level;
  for (;;) {
    if (table >= m->frames) return FAULT;
    entry = ram[(table << 9) | table_index(address, level)];
    if (!(entry & PTE_P)) return FAULT;
    rights = combine(rights, entry);
    all &= entry;
    if (level == 0 || (entry & PTE_PS)) break;
    if (entry & m->reserved) return FAULT;
    table = (entry & PTE_FRAME) >> 12;
    out->tables[level] = table;
    out->rights_after[level] = rights;
    level--;
  }
  if (entry & m->page_reserved[level]) return FAULT;
  rights |= (entry & (PTE_D | PTE_G)) | ((entry >> 47) & 0xf000);
  if ((rights ^ m->expected[access]) & m->needed[access]) return FAULT;
  uint64_t in_page = (1ull << (9 * level)) - 1;
  uint64_t frame = (((entry & PTE_FRAME) >> 12) & ~in_page) | ((address >> 12) & in_page);
  if (frame >= m->frames) return FAULT;
  if (!(all & PTE_A) || ((access & WRITE) && !(rights & RIGHT_DIRTY))) {
    mark(m, out->start_level, first_table, address, access, level);
    if (access & WRITE) rights |= RIGHT_DIRTY;
  }
  out->end_level = out->size = level;
  out->rights = rights;
  return (int64_t)frame;
}

INLINE int64_t walk_from_root(struct machine *m, uint64_t address, int access, struct walk *out) {
  if (!canonical(address)) return FAULT;
  return walk_tables(m, LEVELS - 1, m->cr3 >> 12, PTE_RW | PTE_US, address, access, out);
}

OUTLINE int64_t walk(struct machine *m, uint64_t address, int access) {
  struct walk out;
  return walk_from_root(m, address, access, &out);
}

/* A batch by `translate`, an expression for the frame of `address`, or FAULT. */
#define BATCH(m, b, translate)                                                            \
  for (long done = 0; done < (b)->length; done += AT_ONCE) {                              \
    const uint64_t *addresses = (b)->addresses + done;                                    \
    const long count = (b)->length - done < AT_ONCE ? (b)->length - done : AT_ONCE;       \
    int64_t frames[AT_ONCE];                                                              \
    for (long i = 0; i < count; i++) {                                                    \
      const uint64_t address = addresses[i];                                              \
      if ((frames[i] = (translate)) < 0) return done + i;                                 \
    }                                                                                     \
    for (long i = 0; i < count; i++) (b)->values[done + i] = load_word(m, frames[i], addresses[i]); \
  }                                                                                       \
  return (b)->length

long walk_batch(struct machine *m, const struct batch *b) { BATCH(m, b, walk(m, address, READ | USER)); }

/* The soft TLB: a bank for each kind of access, direct-mapped, filled at 4 KiB. */

enum { SOFT_ENTRIES = 256 };

struct soft_entry {
  uint64_t tag; /* address of the page, bit 0 set when valid */
  int64_t frame;
};

struct soft {
  struct machine *machine;
  struct soft_entry entries[ACCESS_KINDS][SOFT_ENTRIES];
};

struct soft *new_soft(struct machine *m) {
  struct soft *s = calloc(1, sizeof *s);
  s->machine = m;
  return s;
}

void flush_soft(struct soft *s) { memset(s->entries, 0, sizeof s->entries); }

OUTLINE int64_t soft_miss(struct soft *s, uint64_t address, int access) {
  struct walk out;
  int64_t frame = walk_from_root(s->machine, address, access, &out);
  if (frame < 0) return frame;
  struct soft_entry *entry = &s->entries[access][(address >> 12) & (SOFT_ENTRIES - 1)];
  entry->tag = (address & ~4095ull) | 1;
  entry->frame = frame;
  return frame;
}

INLINE int64_t soft_translate(struct soft *s, uint64_t address, int access) {
  const struct soft_entry *entry = &s->entries[access][(address >> 12) & (SOFT_ENTRIES - 1)];
  if (__builtin_expect(entry->tag == ((address & ~4095ull) | 1), 1)) return entry->frame;
  return soft_miss(s, address, access);
}

long soft_batch(struct soft *s, const struct batch *b) { BATCH(s->machine, b, soft_translate(s, address, READ | USER)); }

OUTLINE int64_t soft_call(struct soft *s, uint64_t address, int access) { return soft_translate(s, address, access); }

long soft_calls(struct soft *s, const struct batch *b) {
  for (long i = 0; i < b->length; i++) {
    int64_t frame = soft_call(s, b->addresses[i], READ | USER);
    if (frame < 0) return i;
    b->values[i] = load_word(s->machine, frame, b->addresses[i]);
  }
  return b->length;
}

/*
 * The modelled TLB: 64x4 and 1536x12 that hold all page sizes, walk caches of 32x8, 8x4 and 4x4, true LRU, everything
 * counted. The shapes are constants, as in a program made for one processor.
 */

enum { L1_SETS = 16, L1_WAYS = 4, L2_SETS = 128, L2_WAYS = 12 };
enum { PDE_SETS = 4, PDE_WAYS = 8, PDPTE_SETS = 2, PDPTE_WAYS = 4, PML4E_SETS = 1, PML4E_WAYS = 4 };

struct counts {
  uint64_t lookups, l1_hits, l1_misses, l2_hits, l2_misses, walks, shortened, reads[LEVELS];
};

struct modelled {
  struct machine *machine;
  unsigned l1_present, l2_present; /* bit n: pages of size n may be in there */
  uint64_t clock;
  /* A set has `ways` words of each kind: tags (page number, page size above it), data (frame above 16 rights), stamps. */
  uint64_t l1[L1_SETS][3 * L1_WAYS];
  uint64_t l2[L2_SETS][3 * L2_WAYS];
  uint64_t pdes[PDE_SETS][3 * PDE_WAYS];
  uint64_t pdptes[PDPTE_SETS][3 * PDPTE_WAYS];
  uint64_t pml4es[PML4E_SETS][3 * PML4E_WAYS];
  struct counts counts;
};

struct modelled *new_modelled(struct machine *m) {
  struct modelled *t = calloc(1, sizeof *t);
  t->machine = m;
  return t;
}

void flush_modelled(struct modelled *t) { *t = (struct modelled){.machine = t->machine}; }

INLINE uint64_t make_tag(uint64_t page, int size) { return page | ((uint64_t)(size + 1) << 57); }
INLINE uint64_t page_of(uint64_t address, int shift) { return (address & 0xffffffffffffull) >> shift; }
INLINE uint64_t make_data(int64_t frame, uint32_t rights) { return (uint64_t)frame << 16 | rights; }

/* The way of a tag, now the one used last; -1 when it is not in the set. All compares are made: a branch would miss. */
INLINE int find(uint64_t *set, int ways, uint64_t tag, uint64_t *clock) {
  uint32_t equal = 0;
  for (int way = 0; way < ways; way++) equal |= (uint32_t)(set[way] == tag) << way;
  if (equal == 0) return -1;
  int way = __builtin_ctz(equal);
  set[2 * ways + way] = ++*clock;
  return way;
}

INLINE void fill(uint64_t *set, int ways, uint64_t tag, uint64_t data, uint64_t *clock) {
  uint64_t *stamps = set + 2 * ways;
  int oldest = 0;
  uint64_t lowest = stamps[0];
  for (int way = 1; way < ways; way++) {
    int lower = stamps[way] < lowest;
    lowest = lower ? stamps[way] : lowest;
    oldest = lower ? way : oldest;
  }
  set[oldest] = tag;
  set[ways + oldest] = data;
  stamps[oldest] = ++*clock;
}

struct hit {
  uint64_t data;
  int size;
};

INLINE int64_t in_page(const struct hit *hit, uint64_t address) {
  return (int64_t)(hit->data >> 16) | ((address >> 12) & ((1ull << (9 * hit->size)) - 1));
}

INLINE int refused(const struct modelled *t, uint64_t data, int access) {
  uint32_t dirty = access & WRITE ? RIGHT_DIRTY : 0;
  uint32_t rights = data & 0xffff;
  return ((rights ^ (t->machine->expected[access] | dirty)) & (t->machine->needed[access] | dirty)) != 0;
}

/* Looks up the page sizes in `present` in the sets of a level. */
INLINE int lookup(uint64_t *sets, int count, int ways, unsigned present, uint64_t address, uint64_t *clock,
                  struct hit *hit) {
  for (int size = 0; present; size++, present >>= 1) {
    if (!(present & 1)) continue;
    uint64_t page = page_of(address, 12 + 9 * size);
    uint64_t *set = sets + (page & (count - 1)) * 3 * ways;
    int way = find(set, ways, make_tag(page, size), clock);
    if (way < 0) continue;
    hit->data = set[ways + way];
    hit->size = size;
    return 1;
  }
  return 0;
}

INLINE void fill_l1(struct modelled *t, uint64_t address, const struct hit *hit) {
  uint64_t page = page_of(address, 12 + 9 * hit->size);
  fill(t->l1[page & (L1_SETS - 1)], L1_WAYS, make_tag(page, hit->size), hit->data, &t->clock);
  t->l1_present |= 1u << hit->size;
}

INLINE void fill_l2(struct modelled *t, uint64_t address, const struct hit *hit) {
  uint64_t page = page_of(address, 12 + 9 * hit->size);
  fill(t->l2[page & (L2_SETS - 1)], L2_WAYS, make_tag(page, hit->size), hit->data, &t->clock);
  t->l2_present |= 1u << hit->size;
}

/* Looks up the cache of one level's entries. @returns the table that the entry leads to, and its rights; 0: none */
INLINE uint64_t find_table(struct modelled *t, uint64_t *sets, int count, int ways, uint64_t piece) {
  uint64_t *set = sets + (piece & (count - 1)) * 3 * ways;
  int way = find(set, ways, make_tag(piece, 0), &t->clock);
  return way < 0 ? 0 : set[ways + way];
}

/* Walks from the deepest table in a walk cache, else from the root. */
INLINE int64_t cached_walk(struct modelled *t, uint64_t address, int access, struct walk *out) {
  uint64_t found;
  int level = 0;
  if (!(found = find_table(t, t->pdes[0], PDE_SETS, PDE_WAYS, page_of(address, 21)))) {
    level = 1;
    if (!(found = find_table(t, t->pdptes[0], PDPTE_SETS, PDPTE_WAYS, page_of(address, 30)))) {
      level = 2;
      if (!(found = find_table(t, t->pml4es[0], PML4E_SETS, PML4E_WAYS, page_of(address, 39))))
        return walk_from_root(t->machine, address, access, out);
    }
  }
  return walk_tables(t->machine, level, found >> 16, found & 0xffff, address, access, out);
}

INLINE void fill_walk_caches(struct modelled *t, uint64_t address, const struct walk *out) {
  for (int level = out->start_level; level > out->end_level; level--) {
    uint64_t piece = page_of(address, 12 + 9 * level);
    uint64_t tag = make_tag(piece, 0), data = make_data((int64_t)out->tables[level], out->rights_after[level]);
    if (level == 3) fill(t->pml4es[0], PML4E_WAYS, tag, data, &t->clock);
    else if (level == 2) fill(t->pdptes[piece & (PDPTE_SETS - 1)], PDPTE_WAYS, tag, data, &t->clock);
    else fill(t->pdes[piece & (PDE_SETS - 1)], PDE_WAYS, tag, data, &t->clock);
  }
}

OUTLINE int64_t modelled_miss(struct modelled *t, uint64_t address, int access) {
  struct counts *c = &t->counts;
  struct hit hit;
  if (!canonical(address)) return FAULT;
  c->l1_misses++;
  if (lookup(t->l2[0], L2_SETS, L2_WAYS, t->l2_present, address, &t->clock, &hit)) {
    c->l2_hits++;
    fill_l1(t, address, &hit);
    return refused(t, hit.data, access) ? FAULT : in_page(&hit, address);
  }
  struct walk out;
  c->l2_misses++;
  int64_t frame = cached_walk(t, address, access, &out);
  if (frame < 0) return FAULT;
  c->walks++;
  c->shortened += out.start_level < LEVELS - 1;
  for (int level = out.start_level; level >= out.end_level; level--) c->reads[level]++;
  fill_walk_caches(t, address, &out);
  hit.data = make_data(frame & ~((1ll << (9 * out.size)) - 1), out.rights);
  hit.size = out.size;
  fill_l1(t, address, &hit);
  fill_l2(t, address, &hit);
  return frame;
}

INLINE int64_t modelled_translate(struct modelled *t, uint64_t address, int access) {
  struct hit hit;
  t->counts.lookups++;
  if (!canonical(address) || !lookup(t->l1[0], L1_SETS, L1_WAYS, t->l1_present, address, &t->clock, &hit))
    return modelled_miss(t, address, access);
  t->counts.l1_hits++;
  return refused(t, hit.data, access) ? FAULT : in_page(&hit, address);
}

long modelled_batch(struct modelled *t, const struct batch *b) {
  BATCH(t->machine, b, modelled_translate(t, address, READ | USER));
}

void print_counts(const struct modelled *t) {
  const struct counts *c = &t->counts;
  uint64_t reads = 0;
  for (int level = 0; level < LEVELS; level++) reads += c->reads[level];
  printf("%llu,%llu,%llu,%llu", (unsigned long long)c->l1_hits, (unsigned long long)c->l2_hits,
         (unsigned long long)c->walks, (unsigned long long)reads);
}

OUTLINE int64_t modelled_call(struct modelled *t, uint64_t address, int access) {
  return modelled_translate(t, address, access);
}

long modelled_calls(struct modelled *t, const struct batch *b) {
  for (long i = 0; i < b->length; i++) {
    int64_t frame = modelled_call(t, b->addresses[i], READ | USER);
    if (frame < 0) return i;
    b->values[i] = load_word(t->machine, frame, b->addresses[i]);
  }
  return b->length;
}
