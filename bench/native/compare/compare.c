/*
 * What `pagewalk compare` counts, in one pass: decodes packed traces (version 1: src/trace/packed/packed-format.ts) and
 * looks each access up in the TLBs of skylake, with 4 KiB, 2 MiB and 1 GiB pages. Prices and caches of data are left out.
 *
 * compare TRACE...: a line a trace, of bytes touched in pages and, by page size, "lookups,L1 hits,L2 hits,walks,entries
 * read"; then nanoseconds of CPU time.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

enum { COLUMNS = 3, HEADER = 9, BLOCK_HEAD = 5 + 8 * COLUMNS, CRC = 4, MOST_BLOCK = 65536 };
enum { MODIFY = 3, EXPLICIT = 255, CURSORS = 32, SITE = 32, TABLE = 65536 };
enum { SIZES = 3, CACHES = 3, TOUCHED = 1 << 20 };

/* Sets of tags, each in order of use: a page and 1, so 0 is free. */
struct array {
  int sets, ways;
  uint64_t *tags;
};

struct tlb {
  int shift, leaf; /* leaf: the level of the entry for a page */
  uint64_t last;   /* the page looked up last: it hits, and changes nothing */
  struct array l1, l2, caches[CACHES + 1]; /* by level */
  uint64_t lookups, l1_hits, l2_hits, walks, reads;
};

/* What a writer and a reader know of the accesses so far. */
struct model {
  uint64_t sites[TABLE], pairs[TABLE], cursors[CURSORS];
  uint64_t last;
  uint32_t second, operations, older;
  int known;
  uint8_t kinds[EXPLICIT + 1];
  uint16_t sizes[EXPLICIT + 1];
};

static struct model model;
static struct tlb tlbs[SIZES];
static uint64_t touched[TOUCHED], touched_pages;

static void fail(const char *why) {
  fprintf(stderr, "compare: %s\n", why);
  exit(1);
}

static struct array make_array(int entries, int ways) {
  struct array a = {entries / ways, ways, calloc((size_t)entries, sizeof *a.tags)};
  return a;
}

static void start(void) {
  static const int shapes[SIZES][6] = {{12, 64, 4, 1536, 12, 0}, {21, 32, 4, 1536, 12, 1}, {30, 4, 4, 16, 4, 2}};
  memset(&model, 0, sizeof model);
  memset(touched, 0, sizeof touched);
  touched_pages = 0;
  for (int i = 0; i < SIZES; i++) {
    const int *s = shapes[i];
    tlbs[i] = (struct tlb){.shift = s[0], .leaf = s[5], .last = UINT64_MAX};
    tlbs[i].l1 = make_array(s[1], s[2]);
    tlbs[i].l2 = make_array(s[3], s[4]);
    tlbs[i].caches[1] = make_array(32, 8);
    tlbs[i].caches[2] = make_array(8, 4);
    tlbs[i].caches[3] = make_array(4, 4);
  }
}

static inline uint64_t *set_of(const struct array *a, uint64_t page) {
  return a->tags + (page & (uint64_t)(a->sets - 1)) * (uint64_t)a->ways;
}

static inline void put_first(uint64_t *set, int behind, uint64_t tag) {
  memmove(set + 1, set, (size_t)behind * sizeof *set);
  set[0] = tag;
}

static inline int find(const struct array *a, uint64_t page) {
  uint64_t *set = set_of(a, page);
  for (int way = 0; way < a->ways; way++) {
    if (set[way] != page + 1) continue;
    put_first(set, way, page + 1);
    return 1;
  }
  return 0;
}

static inline void insert(const struct array *a, uint64_t page) { put_first(set_of(a, page), a->ways - 1, page + 1); }

static __attribute__((noinline)) void look_up_new(struct tlb *t, uint64_t address, uint64_t page) {
  t->last = page;
  if (find(&t->l1, page)) {
    t->l1_hits++;
    return;
  }
  if (find(&t->l2, page)) {
    t->l2_hits++;
    insert(&t->l1, page);
    return;
  }
  int start = CACHES, end = t->leaf;
  for (int level = end + 1; level <= CACHES; level++) {
    if (!find(&t->caches[level], address >> (12 + 9 * level))) continue;
    start = level - 1;
    break;
  }
  t->walks++;
  t->reads += (uint64_t)(start - end + 1);
  for (int level = start; level > end; level--) insert(&t->caches[level], address >> (12 + 9 * level));
  insert(&t->l2, page);
  insert(&t->l1, page);
}

static inline void look_up(struct tlb *t, uint64_t address) {
  uint64_t page = address >> t->shift;
  t->lookups++;
  if (page == t->last) t->l1_hits++;
  else look_up_new(t, address, page);
}

static void touch(uint64_t page) {
  uint64_t at = (page * 0x9e3779b97f4a7c15ull) >> 44;
  for (; touched[at] != 0; at = (at + 1) & (TOUCHED - 1))
    if (touched[at] == page + 1) return;
  if (++touched_pages > TOUCHED / 2) fail("too many pages for the set of those touched");
  touched[at] = page + 1;
}

static void access_at(uint64_t address, int kind, int size) {
  static uint64_t last_page;
  if (address >> 47) fail("an address above user space");
  if (address >> 12 != last_page || touched_pages == 0) touch(last_page = address >> 12);
  for (int i = 0; i < SIZES; i++) look_up(&tlbs[i], address);
  if (kind == MODIFY)
    for (int i = 0; i < SIZES; i++) look_up(&tlbs[i], address);
  if ((address & 4095) + (uint64_t)size <= 4096) return;
  uint64_t next = (address | 4095) + 1;
  touch(last_page = next >> 12);
  for (int i = 0; i < SIZES; i++)
    if ((next & ((1ull << tlbs[i].shift) - 1)) == 0) look_up(&tlbs[i], next);
}

static inline uint32_t table_index(uint32_t word) { return ((word ^ (word >> 15)) * 0x85ebca6bu) >> 16; }

static inline uint64_t take_difference(const uint8_t **at) {
  uint64_t zigzag = 0;
  int shift = 0;
  uint8_t byte;
  do {
    byte = *(*at)++;
    zigzag |= (uint64_t)(byte & 127) << shift;
    shift += 7;
  } while (byte & 128);
  return (zigzag >> 1) ^ -(zigzag & 1);
}

/* The accesses of a block, by its columns. */
static void replay(uint32_t accesses, const uint8_t *operations, const uint8_t *codes, const uint8_t *differences) {
  for (uint32_t i = 0; i < accesses; i++) {
    int operation = *operations++;
    if (operation >= model.known) {
      if (operations[0] == 0) fail("a fetch");
      model.kinds[operation] = operations[0];
      model.sizes[operation] = (uint16_t)(operations[1] | operations[2] << 8);
      operations += 3;
      if (operation != EXPLICIT) model.known++;
    }
    model.older = model.older << 8 | model.operations >> 24;
    model.operations = model.operations << 8 | (uint32_t)operation;
    uint64_t *site = &model.sites[table_index(model.operations ^ model.older * 0x9e3779b1u)];
    uint64_t *pair = &model.pairs[table_index((uint32_t)model.last ^ (model.second + (uint32_t)operation) * 0x9e3779b1u)];
    model.second = (uint32_t)model.last;
    if (codes[i] < CURSORS) {
      model.cursors[0] = model.last;
      model.last = model.cursors[codes[i]] += take_difference(&differences);
    } else {
      model.last = codes[i] == SITE ? *site : *pair;
    }
    *site = *pair = model.last;
    access_at(model.last, model.kinds[operation], model.sizes[operation]);
  }
}

static uint32_t u32_at(const uint8_t *bytes) {
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void unpack(const uint8_t *packed, uint32_t length, uint8_t *into, uint32_t raw) {
  z_stream z = {.next_in = (uint8_t *)packed, .avail_in = length, .next_out = into, .avail_out = raw};
  if (raw == 0) return;
  if (inflateInit2(&z, -15) != Z_OK || inflate(&z, Z_FINISH) != Z_STREAM_END || z.avail_out != 0)
    fail("a column that is no DEFLATE of its length");
  inflateEnd(&z);
}

static void replay_file(const char *path) {
  static uint8_t columns[COLUMNS][MOST_BLOCK * 10];
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail("a trace that cannot be opened");
  fseek(file, 0, SEEK_END);
  long length = ftell(file);
  rewind(file);
  uint8_t *bytes = malloc((size_t)length);
  if (fread(bytes, 1, (size_t)length, file) != (size_t)length) fail("a trace that cannot be read");
  fclose(file);
  if (memcmp(bytes, "\x89PWT\x01", 5) != 0) fail("no packed trace of version 1");
  const uint8_t *at = bytes + HEADER + u32_at(bytes + 5) + CRC;
  while (*at == 'B') {
    const uint8_t *packed = at + BLOCK_HEAD;
    for (int i = 0; i < COLUMNS; i++) {
      uint32_t raw = u32_at(at + 5 + 8 * i), squeezed = u32_at(at + 9 + 8 * i);
      if (raw > sizeof columns[i]) fail("a column too long");
      unpack(packed, squeezed, columns[i], raw);
      packed += squeezed;
    }
    if (crc32(0, at, (uInt)(packed - at)) != u32_at(packed)) fail("a block with another CRC");
    replay(u32_at(at + 1), columns[0], columns[1], columns[2]);
    at = packed + CRC;
  }
  if (*at != 'E') fail("a trace without its end");
  free(bytes);
}

int main(int count, char **paths) {
  for (int i = 1; i < count; i++) {
    start();
    replay_file(paths[i]);
    printf("%llu", (unsigned long long)touched_pages * 4096);
    for (int size = 0; size < SIZES; size++) {
      const struct tlb *t = &tlbs[size];
      printf(" %llu,%llu,%llu,%llu,%llu", (unsigned long long)t->lookups, (unsigned long long)t->l1_hits,
             (unsigned long long)t->l2_hits, (unsigned long long)t->walks, (unsigned long long)t->reads);
    }
    printf("\n");
  }
  struct timespec spent;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  printf("%llu\n", (unsigned long long)spent.tv_sec * 1000000000ull + (unsigned long long)spent.tv_nsec);
  return 0;
}
