/* One translation path by one thread or by two, each with TLBs of its own over the same RAM. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reference.h"

enum { CHUNK = 4096 };

struct core {
  pthread_t thread;
  int *waiting; /* threads that have not come to the start */
  struct machine *machine;
  struct soft *soft;
  struct modelled *modelled;
  const char *path;
  const uint64_t *addresses;
  long loads;
  uint64_t began, ended;
  uint32_t sum;
};

static uint64_t wall_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static long run_chunk(struct core *core, const struct batch *b) {
  if (!strcmp(core->path, "soft")) return soft_batch(core->soft, b);
  if (!strcmp(core->path, "modelled")) return modelled_batch(core->modelled, b);
  return walk_batch(core->machine, b);
}

static void *run_core(void *argument) {
  struct core *core = argument;
  uint32_t values[CHUNK];
  core->sum = 0;
  /* Spinning, as the workers do: waking a sleeper would take longer than a short work. */
  __atomic_fetch_sub(core->waiting, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(core->waiting, __ATOMIC_SEQ_CST) > 0) continue;
  core->began = wall_now();
  for (long done = 0; done < core->loads; done += CHUNK) {
    struct batch b = {core->addresses + done, values, CHUNK};
    if (run_chunk(core, &b) != CHUNK) exit(1);
    core->sum += values[0] + values[CHUNK - 1];
  }
  core->ended = wall_now();
  return NULL;
}

struct core *new_cores(struct machine *m, const uint64_t *addresses) {
  struct core *cores = calloc(MAX_THREADS, sizeof *cores);
  for (int i = 0; i < MAX_THREADS; i++)
    cores[i] = (struct core){.machine = m, .soft = new_soft(m), .modelled = new_modelled(m), .addresses = addresses};
  return cores;
}

uint64_t run_cores(struct core *cores, int threads, const char *path, long loads, uint32_t *sum) {
  int waiting = threads;
  uint64_t first = UINT64_MAX, last = 0;
  for (int i = 0; i < threads; i++) {
    cores[i].waiting = &waiting;
    cores[i].path = path;
    cores[i].loads = loads;
    if (pthread_create(&cores[i].thread, NULL, run_core, &cores[i])) exit(1);
  }
  for (int i = 0; i < threads; i++) {
    pthread_join(cores[i].thread, NULL);
    if (cores[i].began < first) first = cores[i].began;
    if (cores[i].ended > last) last = cores[i].ended;
    if (cores[i].sum != cores[0].sum) exit(1);
  }
  *sum = cores[0].sum;
  return last - first;
}
