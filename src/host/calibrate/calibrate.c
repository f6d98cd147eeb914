/*
 * Measures what memory costs on this machine, for `pagewalk calibrate`.
 *
 *   calibrate BYTES ROUNDS
 *
 * Two arrays of BYTES, one in base pages and one in huge pages. Each round measures everything once more, one page size
 * after the other, so that slow spells of the machine meet all alike. Lines on standard output:
 *
 *   plan SAMPLES            how many will come
 *   huge BYTES              how much of the second array is in huge pages
 *   NAME PAGES BYTES NS     one sample: nanoseconds of one event, over an array of BYTES
 *   cpu SECONDS             processor time of the whole
 *
 * Times are processor time of this thread: while others run, it stands still.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE 64UL
#define BASE 4096UL
#define HUGE (2UL << 20)
#define SMALLEST (16UL << 10)
/* Memory that is touched for the first time, or forked, at most. */
#define TOUCHED (64UL << 20)
/* Processor time of one sample: less than others leave us at once. */
#define SAMPLE_NS 1.5e6
#define WARM_NS 0.3e6
/*
 * Random loads before a sample, so that a last-level cache holds what such loads leave in it: three to a line; or, of an
 * array that no cache holds, as many as fill 64 MiB, and some for the page tables before each further try.
 */
#define WARM_VISITS 3
#define CACHED_LINES (1UL << 19)
#define FILLING_LOADS (1UL << 20)
#define WARM_LOADS 65536
/* So often a sample is taken again after somebody else ran in its midst. */
#define TRIES 6
/* Samples of one kind within a round. */
#define REPEATS 3

/* Lines one to a page. 384 lines fit a first-level data cache, six to a set, and more pages than a first-level TLB has. */
#define FEW_PAGES 384UL
/* More pages than a second-level TLB has; their lines are 1 MiB. */
#define MANY_PAGES 16384UL

/* Chases of whole laps, over arrays from beyond most second levels to beyond most of what one core gets of the third. */
#define SMALLEST_LAP (4UL << 20)
#define LARGEST_LAP (64UL << 20)
/* Streams, over arrays for the third level and for memory. */
#define SMALLEST_STREAM (16UL << 20)
#define STREAM_GROWTH 4

enum pages { BASE_PAGES, HUGE_PAGES };
static const char *const NAMES[] = {"4K", "2M"};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1e9 + time.tv_nsec;
}

static void tell(const char *name, enum pages pages, size_t bytes, double ns) {
  printf("%s %s %zu %.6g\n", name, NAMES[pages], bytes, ns);
  fflush(stdout);
}

static void *map(size_t bytes, enum pages pages) {
  /* Aligned, for huge pages are. */
  char *at = mmap(NULL, bytes + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    perror("mmap");
    exit(1);
  }
  size_t before = -(uintptr_t)at & (HUGE - 1);
  if (before > 0) munmap(at, before);
  munmap(at + before + bytes, HUGE - before);
  madvise(at + before, bytes, pages == HUGE_PAGES ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  return at + before;
}

/* Bytes of our memory in huge pages. Source: Linux manual pages, proc_pid_smaps(5). */
static size_t bytes_in_huge_pages(void) {
  FILE *file = fopen("/proc/self/smaps_rollup", "r");
  char line[256];
  size_t kib = 0;
  if (file == NULL) return 0;
  while (fgets(line, sizeof line, file) != NULL) sscanf(line, "AnonHugePages: %zu kB", &kib);
  fclose(file);
  return kib << 10;
}

static uint64_t state = 88172645463325252;

/* xorshift64; Source: Marsaglia, "Xorshift RNGs", 2003. */
static uint64_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

/* Where the lines of one array lie: side by side, or one to a page at places that share no set of a cache. */
struct lines {
  char *array;
  size_t count;
  int one_a_page;
};

static inline char *line_at(const struct lines *lines, size_t i) {
  return lines->array + (lines->one_a_page ? i * BASE + i % (BASE / LINE) * LINE : i * LINE);
}

/* Links all lines into one cycle in random order. Source: Sattolo, "An algorithm to generate a random cyclic permutation". */
static void link_lines(const struct lines *lines) {
  for (size_t i = 0; i < lines->count; i++) *(uint64_t *)line_at(lines, i) = i;
  for (size_t i = lines->count - 1; i > 0; i--) {
    uint64_t *one = (uint64_t *)line_at(lines, i);
    uint64_t *other = (uint64_t *)line_at(lines, next_random() % i);
    uint64_t kept = *one;
    *one = *other;
    *other = kept;
  }
  for (size_t i = 0; i < lines->count; i++) {
    uint64_t *line = (uint64_t *)line_at(lines, i);
    *line = (uintptr_t)line_at(lines, *line);
  }
}

typedef void step_function(const struct lines *lines, long steps);

/* Where the last chase ended, for the next to go on from. */
static void *place;

/* Each load finds the address of the next. */
static void dependent(const struct lines *lines, long steps) {
  (void)lines;
  void *at = place;
  for (long i = 0; i < steps; i += 8) {
    at = *(void **)at;
    at = *(void **)at;
    at = *(void **)at;
    at = *(void **)at;
    at = *(void **)at;
    at = *(void **)at;
    at = *(void **)at;
    at = *(void **)at;
  }
  *(void *volatile *)&place = at;
}

static volatile uint64_t sink;

/* Four generators side by side tell the addresses, and none waits for a load. Source: Knuth, TAOCP volume 2, 3.3.4. */
static void independent(const struct lines *lines, long steps) {
  const uint64_t multiplier = 6364136223846793005, count = lines->count;
  uint64_t a = next_random(), b = next_random(), c = next_random(), d = next_random();
  uint64_t sum_a = 0, sum_b = 0, sum_c = 0, sum_d = 0;
  struct lines copy = *lines;
#define STEP(x, sum)           \
  x = x * multiplier + 1;      \
  sum += *(uint64_t *)line_at(&copy, (x >> 32) * count >> 32)
  if (copy.one_a_page) {
    for (long i = 0; i < steps; i += 4) {
      STEP(a, sum_a);
      STEP(b, sum_b);
      STEP(c, sum_c);
      STEP(d, sum_d);
    }
  } else {
    for (long i = 0; i < steps; i += 4) {
      STEP(a, sum_a);
      STEP(b, sum_b);
      STEP(c, sum_c);
      STEP(d, sum_d);
    }
  }
#undef STEP
  sink += sum_a + sum_b + sum_c + sum_d;
}

/* How often others took the processor from us. */
static long interruptions(void) {
  struct rusage use;
  getrusage(RUSAGE_THREAD, &use);
  return use.ru_nivcsw;
}

/* Nanoseconds of a step, once caches and TLBs are as such steps leave them. */
static double time_steps(step_function *steps_of, const struct lines *lines) {
  size_t warm_loads = WARM_VISITS * lines->count;
  if (lines->count > CACHED_LINES) {
    independent(lines, FILLING_LOADS);
    warm_loads = 0;
  }
  if (warm_loads < WARM_LOADS) warm_loads = WARM_LOADS;
  double taken = 0;
  long steps = 0;
  for (int try = 0; try < TRIES; try++) {
    long before = interruptions();
    independent(lines, warm_loads);
    double warm = 0;
    for (steps = 512; warm < WARM_NS; warm += taken) {
      steps *= 2;
      double begun = now();
      steps_of(lines, steps);
      taken = now() - begun;
    }
    steps = (long)(steps * (SAMPLE_NS / taken)) & ~7L;
    double begun = now();
    steps_of(lines, steps);
    taken = now() - begun;
    if (interruptions() == before) break;
  }
  return taken / steps;
}

/*
 * Nanoseconds of a step of a chase that comes to each line once a lap, after a lap before. A cache then has the lines
 * that it keeps from one lap to the next, which may be far fewer than of lines that come again at random.
 */
static double time_lap(const struct lines *lines) {
  dependent(lines, lines->count);
  double begun = now();
  dependent(lines, lines->count);
  return (now() - begun) / lines->count;
}

/* One stream reads the array; three read two thirds of it, and read and write the last. No step waits for another. */
enum streams { ONE_STREAM, THREE_STREAMS, STREAMS_IN_STEP, KINDS_OF_STREAMS };
static const char *const STREAM_NAMES[] = {"stream", "three-streams", "streams-in-step"};

static void stream(uint64_t *array, size_t words, enum streams streams) {
  if (streams == ONE_STREAM) {
    uint64_t sum = 0;
    for (size_t i = 0; i < words; i++) sum += array[i];
    sink += sum;
    return;
  }
  /* In step they come to the ends of their pages at once; otherwise a third of a page apart. */
  size_t page = BASE / sizeof(uint64_t), third = words / 3 / page * page, count = third - page;
  size_t apart = streams == STREAMS_IN_STEP ? 0 : page / 3;
  uint64_t *one = array, *other = array + third + apart, *changed = array + 2 * (third + apart);
  for (size_t i = 0; i < count; i++) changed[i] = one[i] + 3 * other[i] + changed[i] / 2;
}

/* Nanoseconds of a stream in 4 KiB of it. */
static double time_stream(char *array, size_t bytes, enum streams streams) {
  double taken = 0;
  stream((uint64_t *)array, bytes / sizeof(uint64_t), streams);
  for (int try = 0; try < TRIES; try++) {
    long before = interruptions();
    double begun = now();
    stream((uint64_t *)array, bytes / sizeof(uint64_t), streams);
    taken = now() - begun;
    if (interruptions() == before) break;
  }
  return taken / (bytes / BASE);
}

static void measure_streams(char *const arrays[], size_t bytes) {
  for (int repeat = 0; repeat < REPEATS; repeat++) {
    for (int streams = 0; streams < KINDS_OF_STREAMS; streams++) {
      for (int pages = 0; pages < 2; pages++) {
        tell(STREAM_NAMES[streams], pages, bytes, time_stream(arrays[pages], bytes, streams));
      }
    }
  }
}

static void measure_lines(const char *prefix, char *const arrays[], size_t bytes, size_t count, int one_a_page) {
  char name[64];
  struct lines lines[] = {{arrays[0], count, one_a_page}, {arrays[1], count, one_a_page}};
  for (int pages = 0; pages < 2; pages++) link_lines(&lines[pages]);
  for (int repeat = 0; repeat < REPEATS; repeat++) {
    for (int pages = 0; pages < 2; pages++) {
      place = line_at(&lines[pages], 0);
      snprintf(name, sizeof name, "%sdependent", prefix);
      tell(name, pages, bytes, time_steps(dependent, &lines[pages]));
      snprintf(name, sizeof name, "%sindependent", prefix);
      tell(name, pages, bytes, time_steps(independent, &lines[pages]));
    }
  }
  if (one_a_page || bytes < SMALLEST_LAP || bytes > LARGEST_LAP) return;
  for (int pages = 0; pages < 2; pages++) {
    place = line_at(&lines[pages], 0);
    tell("lap", pages, bytes, time_lap(&lines[pages]));
  }
}

/* Nanoseconds of the first touch of a page. Reads find the page of zeros: a fault, and nothing to clear. */
static double touch(size_t bytes, enum pages pages, int write) {
  size_t page = pages == HUGE_PAGES ? HUGE : BASE;
  volatile char *array = map(bytes, pages);
  double begun = now();
  for (size_t at = 0; at < bytes; at += page) {
    if (write) array[at] = 1;
    else sink += array[at];
  }
  double taken = now() - begun;
  munmap((void *)array, bytes);
  return taken / (bytes / page);
}

static double time_fork(void) {
  double begun = now();
  pid_t child = fork();
  double taken = now() - begun;
  if (child == 0) _exit(0);
  if (child < 0) {
    perror("fork");
    exit(1);
  }
  waitpid(child, NULL, 0);
  return taken;
}

/*
 * Nanoseconds of a fork for each entry copied: forks with memory in base pages, less forks without it. Each page is
 * written before: then fork has to make it read-only, which one that was forked already is.
 */
static double fork_entry(char *array, size_t bytes) {
  double taken = 0;
  for (int try = 0; try < TRIES; try++) {
    long before = interruptions();
    madvise(array, bytes, MADV_DONTFORK);
    double without = time_fork();
    madvise(array, bytes, MADV_DOFORK);
    for (size_t at = 0; at < bytes; at += BASE) ((volatile char *)array)[at + sizeof(uint64_t)] = 1;
    taken = (time_fork() - without) / (bytes / BASE);
    /* The end of the child is waited for: that is no interruption. */
    if (interruptions() == before) break;
  }
  return taken;
}

/* An addition that waits for the one before. Both terms are unknown, or the processor would add them up beforehand. */
static double cycle(void) {
  const long rounds = 40000;
  uint64_t sum = state, term = state | 1;
  double begun = now();
  for (long i = 0; i < rounds; i++) {
#if defined(__x86_64__)
    __asm__ volatile(".rept 64\n\tadd %1, %0\n\t.endr" : "+r"(sum) : "r"(term));
#else
    __asm__ volatile(".rept 64\n\tadd %0, %0, %1\n\t.endr" : "+r"(sum) : "r"(term));
#endif
  }
  double taken = now() - begun;
  sink += sum;
  return taken / (rounds * 64.0);
}

/* An instruction among others that do not wait for it: three additions to a load, as programs have about. */
static double instruction(void) {
  const long rounds = 40000;
  uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g, h, term = state | 1, word = 7;
  double begun = now();
  for (long i = 0; i < rounds; i++) {
#if defined(__x86_64__)
#define ADD(n) "\tadd %[term], %" #n "\n"
#define LOAD(n) "\tmov %[word], %" #n "\n"
#elif defined(__aarch64__) || defined(__riscv)
#define ADD(n) "\tadd %" #n ", %" #n ", %[term]\n"
#ifdef __riscv
#define LOAD(n) "\tld %" #n ", %[word]\n"
#else
#define LOAD(n) "\tldr %" #n ", %[word]\n"
#endif
#else
#error "calibrate knows the instructions of x86-64, AArch64 and RISC-V"
#endif
    __asm__ volatile(".rept 8\n" ADD(0) ADD(1) ADD(2) LOAD(6) ADD(3) ADD(4) ADD(5) LOAD(7) "\t.endr"
                     : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f), "=&r"(g), "=&r"(h)
                     : [term] "r"(term), [word] "m"(word));
  }
  double taken = now() - begun;
  sink += a + b + c + d + e + f + g + h;
  return taken / (rounds * 64.0);
}

static void measure_rest(char *array, size_t bytes) {
  size_t touched = bytes < TOUCHED ? bytes : TOUCHED;
  if (bytes > touched) madvise(array + touched, bytes - touched, MADV_DONTFORK);
  for (int repeat = 0; repeat < REPEATS; repeat++) {
    tell("cycle", BASE_PAGES, 0, cycle());
    tell("instruction", BASE_PAGES, 0, instruction());
    for (int pages = 0; pages < 2; pages++) {
      tell("touch", pages, touched, touch(touched, pages, 1));
      tell("look", pages, touched, touch(touched, pages, 0));
    }
    tell("fork", BASE_PAGES, touched, fork_entry(array, touched));
  }
}

int main(int count, char **words) {
  size_t bytes = count > 2 ? strtoull(words[1], NULL, 10) & ~(HUGE - 1) : 0;
  int rounds = count > 2 ? atoi(words[2]) : 0;
  if (bytes == 0 || rounds <= 0) return 2;
  /* One processor: another's caches are cold. */
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(sched_getcpu(), &here);
  sched_setaffinity(0, sizeof here, &here);

  char *arrays[] = {map(bytes, BASE_PAGES), map(bytes, HUGE_PAGES)};
  for (int pages = 0; pages < 2; pages++) memset(arrays[pages], 1, bytes);
  int sizes = 0, laps = 0, streams = 0;
  for (size_t size = SMALLEST; size <= bytes; size *= 2) {
    sizes++;
    laps += size >= SMALLEST_LAP && size <= LARGEST_LAP;
  }
  for (size_t size = SMALLEST_STREAM; size <= bytes; size *= STREAM_GROWTH) streams++;
  int sparse = (FEW_PAGES * BASE <= bytes) + (MANY_PAGES * BASE <= bytes);
  printf("plan %d\nhuge %zu\n", rounds * (REPEATS * ((sizes + sparse) * 4 + streams * 2 * KINDS_OF_STREAMS + 7) + 2 * laps),
         bytes_in_huge_pages());
  fflush(stdout);
  for (int round = 0; round < rounds; round++) {
    for (size_t size = SMALLEST; size <= bytes; size *= 2) measure_lines("", arrays, size, size / LINE, 0);
    if (FEW_PAGES * BASE <= bytes) measure_lines("sparse-", arrays, FEW_PAGES * BASE, FEW_PAGES, 1);
    if (MANY_PAGES * BASE <= bytes) measure_lines("sparse-", arrays, MANY_PAGES * BASE, MANY_PAGES, 1);
    for (size_t size = SMALLEST_STREAM; size <= bytes; size *= STREAM_GROWTH) measure_streams(arrays, size);
    measure_rest(arrays[0], bytes);
  }
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  printf("cpu %.3f\n", used.tv_sec + used.tv_nsec / 1e9);
  return 0;
}
