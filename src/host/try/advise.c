/*
 * Asks for huge pages wherever a program maps private anonymous memory, as the setting `always` would: for allocators
 * that know nothing of madvise. Loaded by LD_PRELOAD for `pagewalk try`; it works while PAGEWALK_ADVISE is 1.
 *
 * Stacks are left alone. glibc's malloc calls mmap within itself, out of our sight; its tunable serves there.
 * Source: Linux manual pages, madvise(2), "MADV_HUGEPAGE".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_mmap
#error "no mmap with offsets in bytes: 64-bit systems only"
#endif

static int advised(int flags) {
  const int wanted = MAP_PRIVATE | MAP_ANONYMOUS;
  if ((flags & wanted) != wanted || (flags & (MAP_STACK | MAP_GROWSDOWN | MAP_HUGETLB)) != 0) return 0;
  /* Read each time: a mapping may come before our constructors would. */
  const char *wish = getenv("PAGEWALK_ADVISE");
  return wish != NULL && *wish == '1';
}

/* The system call itself: dlsym may allocate, and an allocator that starts would come here again. */
void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
  void *mapped = (void *)syscall(SYS_mmap, address, length, protection, flags, file, offset);
  if (mapped != MAP_FAILED && advised(flags)) {
    int error = errno;
    madvise(mapped, length, MADV_HUGEPAGE);
    errno = error;
  }
  return mapped;
}

void *mmap64(void *address, size_t length, int protection, int flags, int file, off_t offset)
    __attribute__((alias("mmap")));
