/* Translation paths: a walk a load, a soft TLB, a modelled TLB. */
#include <stdlib.h>
#include <string.h>

#include "reference.h"

static inline unsigned table_index(uint64_t address, int level) { return (address >> (12 + 9 * level)) & 511; }

static inline uint32_t combine(uint32_t rights, uint64_t entry) {
  return (rights & entry & (PTE_RW | PTE_US)) | ((rights | (uint32_t)(entry >> 63)) & RIGHT_XD);
}

int64_t walk_tables(struct machine *m, int level, uint64_t table, uint32_t rights, uint64_t address, int access,
                    struct walk *out) {
  uint64_t *path[LEVELS];
  uint64_t entry;
  out->start_level = level;
  for (;;) {
    out->end_level = level;
    if (table >= m->frames) return out->frame = FAULT;
    path[level] = &m->ram[(table << 9) | table_index(address, level)];
    entry = *path[level];
    if (!(entry & PTE_P)) return out->frame = FAULT;
    rights = combine(rights, entry);
    out->rights_after[level] = rights;
    if (level == 0 || (entry & PTE_PS)) break;
    if (entry & m->reserved) return out->frame = FAULT;
    table = (entry & PTE_FRAME) >> 12;
    out->tables[level] = table;
    level--;
  }
  if (entry & m->page_reserved[level]) return out->frame = FAULT;
  out->size = level;
  rights |= (entry & (PTE_D | PTE_G)) | ((entry >> 47) & 0xf000);
  if ((rights ^ m->expected[access]) & m->needed[access]) return out->frame = FAULT;
  uint64_t in_page = (1ull << (9 * level)) - 1;
  uint64_t frame = (((entry & PTE_FRAME) >> 12) & ~in_page) | ((address >> 12) & in_page);
  if (frame >= m->frames) return out->frame = FAULT;
  for (int i = out->start_level; i >= out->end_level; i--)
    if (!(*path[i] & PTE_A)) __atomic_fetch_or(path[i], PTE_A, __ATOMIC_RELAXED);
  if ((access & WRITE) && !(rights & RIGHT_DIRTY)) {
    __atomic_fetch_or(path[out->end_level], PTE_D, __ATOMIC_RELAXED);
    rights |= RIGHT_DIRTY;
  }
  out->rights = rights;
  return out->frame = (int64_t)frame;
}

static inline int canonical(uint64_t address) { return (uint64_t)(((int64_t)address >> 47) + 1) <= 1; }

int64_t walk_from_root(struct machine *m, uint64_t address, int access, struct walk *out) {
  if (!canonical(address)) return FAULT;
  return walk_tables(m, LEVELS - 1, m->cr3 >> 12, PTE_RW | PTE_US, address, access, out);
}

long walk_batch(struct machine *m, const struct batch *b) {
  struct walk out;
  for (long i = 0; i < b->length; i++) {
    int64_t frame = walk_from_root(m, b->addresses[i], READ | USER, &out);
    if (frame < 0) return i;
    b->values[i] = load_word(m, frame, b->addresses[i]);
  }
  return b->length;
}

/* The soft TLB: 256 entries for each kind of access, direct-mapped, filled at 4 KiB. */

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

static __attribute__((noinline)) int64_t soft_miss(struct soft *s, uint64_t address, int access) {
  struct walk out;
  int64_t frame = walk_from_root(s->machine, address, access, &out);
  if (frame < 0) return frame;
  struct soft_entry *entry = &s->entries[access][(address >> 12) & (SOFT_ENTRIES - 1)];
  entry->tag = (address & ~4095ull) | 1;
  entry->frame = frame;
  return frame;
}

static inline int64_t soft_translate(struct soft *s, uint64_t address, int access) {
  const struct soft_entry *entry = &s->entries[access][(address >> 12) & (SOFT_ENTRIES - 1)];
  if (__builtin_expect(entry->tag == ((address & ~4095ull) | 1), 1)) return entry->frame;
  return soft_miss(s, address, access);
}

long soft_batch(struct soft *s, const struct batch *b) {
  for (long i = 0; i < b->length; i++) {
    int64_t frame = soft_translate(s, b->addresses[i], READ | USER);
    if (frame < 0) return i;
    b->values[i] = load_word(s->machine, frame, b->addresses[i]);
  }
  return b->length;
}

static __attribute__((noinline)) int64_t soft_call(struct soft *s, uint64_t address, int access) {
  return soft_translate(s, address, access);
}

long soft_calls(struct soft *s, const struct batch *b) {
  for (long i = 0; i < b->length; i++) {
    int64_t frame = soft_call(s, b->addresses[i], READ | USER);
    if (frame < 0) return i;
    b->values[i] = load_word(s->machine, frame, b->addresses[i]);
  }
  return b->length;
}

/* The modelled TLB: arrays of any shape that hold all page sizes, true LRU, everything counted. */

struct tlb {
  uint32_t ways, set_mask;
  uint32_t clock;
  uint64_t *tags;    /* page number, with page size and PCID above it */
  uint32_t *stamps, *rights;
  int64_t *frames;
};

struct level {
  struct tlb tlb;
  unsigned present; /* bit n: pages of size n may be in here */
};

struct counts {
  uint64_t lookups, l1_hits, l1_misses, l2_hits, l2_misses, walks, shortened, reads[LEVELS];
};

struct modelled {
  struct machine *machine;
  struct level l1, l2;
  struct tlb walk_caches[LEVELS];
  struct counts counts;
};

static struct tlb make_tlb(uint32_t entries, uint32_t ways) {
  struct tlb t = {.ways = ways, .set_mask = entries / ways - 1};
  t.tags = calloc(entries, sizeof *t.tags);
  t.stamps = calloc(entries, sizeof *t.stamps);
  t.rights = calloc(entries, sizeof *t.rights);
  t.frames = calloc(entries, sizeof *t.frames);
  return t;
}

struct modelled *new_modelled(struct machine *m) {
  struct modelled *t = calloc(1, sizeof *t);
  t->machine = m;
  t->l1.tlb = make_tlb(64, 4);
  t->l2.tlb = make_tlb(1536, 12);
  t->walk_caches[1] = make_tlb(32, 32);
  t->walk_caches[2] = make_tlb(8, 8);
  t->walk_caches[3] = make_tlb(4, 4);
  return t;
}

static inline uint64_t make_tag(uint64_t page, int size) { return page | ((uint64_t)(size + 1) << 57); }

static inline int32_t tlb_find(struct tlb *t, uint64_t page, uint64_t tag) {
  uint32_t first = ((uint32_t)page & t->set_mask) * t->ways;
  for (uint32_t way = first; way < first + t->ways; way++)
    if (t->tags[way] == tag) {
      t->stamps[way] = ++t->clock;
      return (int32_t)way;
    }
  return -1;
}

static void tlb_fill(struct tlb *t, uint64_t page, uint64_t tag, int64_t frame, uint32_t rights) {
  uint32_t first = ((uint32_t)page & t->set_mask) * t->ways;
  uint32_t oldest = first;
  for (uint32_t way = first + 1; way < first + t->ways; way++)
    if (t->stamps[way] < t->stamps[oldest]) oldest = way;
  t->tags[oldest] = tag;
  t->frames[oldest] = frame;
  t->rights[oldest] = rights;
  t->stamps[oldest] = ++t->clock;
}

struct hit {
  int64_t first; /* frame of the page's beginning */
  uint32_t rights;
  int size;
};

static inline int level_lookup(struct level *l, uint64_t address, struct hit *hit) {
  unsigned present = l->present;
  for (int size = 0; present; size++, present >>= 1) {
    if (!(present & 1)) continue;
    uint64_t page = (address & 0xffffffffffffull) >> SHIFTS[size];
    int32_t at = tlb_find(&l->tlb, page, make_tag(page, size));
    if (at < 0) continue;
    hit->first = l->tlb.frames[at];
    hit->rights = l->tlb.rights[at];
    hit->size = size;
    return 1;
  }
  return 0;
}

static void level_fill(struct level *l, uint64_t address, const struct hit *hit) {
  uint64_t page = (address & 0xffffffffffffull) >> SHIFTS[hit->size];
  tlb_fill(&l->tlb, page, make_tag(page, hit->size), hit->first, hit->rights);
  l->present |= 1u << hit->size;
}

static int64_t cached_walk(struct modelled *t, uint64_t address, int access, struct walk *out) {
  for (int level = 1; level < LEVELS; level++) {
    uint64_t piece = (address & 0xffffffffffffull) >> (12 + 9 * level);
    int32_t at = tlb_find(&t->walk_caches[level], piece, make_tag(piece, 0));
    if (at < 0) continue;
    struct tlb *cache = &t->walk_caches[level];
    return walk_tables(t->machine, level - 1, (uint64_t)cache->frames[at], cache->rights[at], address, access, out);
  }
  return walk_from_root(t->machine, address, access, out);
}

static int64_t in_page(const struct hit *hit, uint64_t address) {
  return hit->first | ((address >> 12) & ((1ull << (SHIFTS[hit->size] - 12)) - 1));
}

static __attribute__((noinline)) int64_t modelled_miss(struct modelled *t, uint64_t address, int access) {
  struct counts *c = &t->counts;
  struct hit hit;
  c->l1_misses++;
  if (level_lookup(&t->l2, address, &hit)) {
    c->l2_hits++;
    level_fill(&t->l1, address, &hit);
    if ((hit.rights ^ t->machine->expected[access]) & t->machine->needed[access]) return FAULT;
    return in_page(&hit, address);
  }
  struct walk out;
  c->l2_misses++;
  if (cached_walk(t, address, access, &out) < 0) return FAULT;
  c->walks++;
  c->shortened += out.start_level < LEVELS - 1;
  for (int level = out.start_level; level >= out.end_level; level--) c->reads[level]++;
  for (int level = out.start_level; level > out.end_level; level--) {
    uint64_t piece = (address & 0xffffffffffffull) >> (12 + 9 * level);
    tlb_fill(&t->walk_caches[level], piece, make_tag(piece, 0), (int64_t)out.tables[level], out.rights_after[level]);
  }
  hit.first = out.frame & ~((1ll << (SHIFTS[out.size] - 12)) - 1);
  hit.rights = out.rights;
  hit.size = out.size;
  level_fill(&t->l1, address, &hit);
  level_fill(&t->l2, address, &hit);
  return out.frame;
}

static inline int64_t modelled_translate(struct modelled *t, uint64_t address, int access) {
  struct hit hit;
  if (!canonical(address)) return FAULT;
  t->counts.lookups++;
  if (!level_lookup(&t->l1, address, &hit)) return modelled_miss(t, address, access);
  t->counts.l1_hits++;
  uint32_t needed = t->machine->needed[access] | (access & WRITE ? RIGHT_DIRTY : 0);
  uint32_t expected = t->machine->expected[access] | (access & WRITE ? RIGHT_DIRTY : 0);
  if ((hit.rights ^ expected) & needed) return FAULT;
  return in_page(&hit, address);
}

long modelled_batch(struct modelled *t, const struct batch *b) {
  for (long i = 0; i < b->length; i++) {
    int64_t frame = modelled_translate(t, b->addresses[i], READ | USER);
    if (frame < 0) return i;
    b->values[i] = load_word(t->machine, frame, b->addresses[i]);
  }
  return b->length;
}
