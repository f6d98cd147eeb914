/* The pipe to the recorder: frames in, one write each. */
#define _GNU_SOURCE
#include "plugin.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char folder[PATH_MAX];
static char pipe_path[PATH_MAX];

/* As much as anybody may have (pipe(7), "pipe-max-size"): writer and reader take turns less often. */
enum { PIPE_BYTES = 1 << 20 };

bool choose_pipe(void) {
  if (snprintf(pipe_path, sizeof pipe_path, "%s/accesses", folder) >= (int)sizeof pipe_path) return false;
  int fd = open(pipe_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return true;
  fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
  close(fd);
  return true;
}

/* Without a reader nobody waits for this program, and its accesses are lost: it ends as one does whose pipe closes. */
static void give_up(const char *why) {
  if (errno != ENXIO && errno != EPIPE) fprintf(stderr, "pagewalk: %s '%s': %s\n", why, pipe_path, strerror(errno));
  raise(SIGKILL);
}

/* A write to a pipe whose reader has gone raises SIGPIPE, which the program may ignore: then it returns EPIPE. */
void send_frame(enum frame type, uint64_t *words, size_t bytes) {
  words[0] = type | (uint64_t)getpid() << 32;
  words[1] = bytes;
  int fd = open(pipe_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) give_up("cannot open");
  while (write(fd, words, 8 * HEAD_WORDS + bytes) < 0) {
    if (errno == EAGAIN) poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
    else if (errno != EINTR) give_up("cannot write to");
  }
  close(fd);
}

void send_text(enum frame type, const uint64_t *head, size_t head_words, const char *text) {
  uint64_t words[FRAME_WORDS];
  size_t from = HEAD_WORDS + head_words, bytes = strnlen(text, FRAME_BYTES - 8 * from);
  for (size_t i = 0; i < head_words; i++) words[HEAD_WORDS + i] = head[i];
  memcpy(words + from, text, bytes);
  send_frame(type, words, 8 * head_words + bytes);
}
