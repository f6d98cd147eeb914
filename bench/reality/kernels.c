/*
 * Programs whose use of memory is known, for `npm run bench -- --reality`: kernels NAME BYTES COUNT.
 *
 *   update   COUNT words anywhere in an array are read, changed and written; no step waits for another
 *   chase    COUNT steps from line to line of an array, in a random cycle: each waits for the last
 *   tree     COUNT searches in a binary tree whose nodes came one by one from malloc
 *   triad    COUNT passes of a[i] = b[i] + 3 c[i] over three arrays
 *   hot      update within one huge page
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 0x2545f4914f6cdd1d;

static uint64_t next(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x9e3779b97f4a7c15;
}

static void *checked(void *memory) {
  if (memory == NULL) {
    fputs("no memory\n", stderr);
    exit(1);
  }
  return memory;
}

/* The number of words is a power of two. */
static uint64_t update(uint64_t *words, size_t count, long steps) {
  for (size_t i = 0; i < count; i++) words[i] = i;
  for (long i = 0; i < steps; i++) {
    uint64_t value = next();
    words[(value >> 20) & (count - 1)] += value;
  }
  return words[count / 2];
}

static uint64_t chase(size_t bytes, long steps) {
  size_t lines = bytes / 64;
  uint64_t *words = checked(malloc(bytes));
  for (size_t i = 0; i < lines; i++) words[8 * i] = i;
  /* Sattolo: one cycle through all lines. */
  for (size_t i = lines - 1; i > 0; i--) {
    size_t j = next() % i;
    uint64_t other = words[8 * i];
    words[8 * i] = words[8 * j];
    words[8 * j] = other;
  }
  uint64_t at = 0;
  for (long i = 0; i < steps; i++) at = words[8 * at];
  return at;
}

struct node {
  struct node *child[2];
  uint64_t key, value;
};

static uint64_t tree(size_t bytes, long searches) {
  struct node *root = NULL;
  for (size_t i = 0; i < bytes / 48; i++) {
    struct node *node = checked(calloc(1, sizeof *node));
    node->key = next();
    struct node **place = &root;
    while (*place != NULL) place = &(*place)->child[node->key > (*place)->key];
    *place = node;
  }
  uint64_t sum = 0;
  for (long i = 0; i < searches; i++) {
    uint64_t key = next();
    for (struct node *node = root; node != NULL; node = node->child[key > node->key]) sum += node->value;
  }
  return sum;
}

static uint64_t triad(size_t bytes, long passes) {
  size_t count = bytes / 24;
  double *a = checked(malloc(8 * count)), *b = checked(malloc(8 * count)), *c = checked(malloc(8 * count));
  for (size_t i = 0; i < count; i++) a[i] = 0, b[i] = 1, c[i] = 2;
  for (long pass = 0; pass < passes; pass++)
    for (size_t i = 0; i < count; i++) a[i] = b[i] + 3 * c[i] + 0.5 * a[i];
  return (uint64_t)a[count / 2];
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fputs("usage: kernels update|chase|tree|triad|hot BYTES COUNT\n", stderr);
    return 2;
  }
  size_t bytes = strtoull(argv[2], NULL, 10);
  long count = atol(argv[3]);
  uint64_t result;
  if (strcmp(argv[1], "update") == 0) result = update(checked(malloc(bytes)), bytes / 8, count);
  else if (strcmp(argv[1], "hot") == 0) result = update(checked(aligned_alloc(2 << 20, 2 << 20)), (2 << 20) / 8, count);
  else if (strcmp(argv[1], "chase") == 0) result = chase(bytes, count);
  else if (strcmp(argv[1], "tree") == 0) result = tree(bytes, count);
  else if (strcmp(argv[1], "triad") == 0) result = triad(bytes, count);
  else return 2;
  printf("%llu\n", (unsigned long long)result);
  return 0;
}
