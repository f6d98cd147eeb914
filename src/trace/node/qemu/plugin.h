/* What the plugin's files share. */
#ifndef PLUGIN_H
#define PLUGIN_H
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "qemu-api.h"

enum { PLACES = 16384 };

/*
 * What all processes of a recording share; the recorder writes the file before it starts the first. Positions are
 * accesses of all processes so far.
 */
struct shared {
  _Atomic uint64_t position;
  _Atomic uint64_t from;    /* where the first window begins; NOT_YET until somebody says so */
  uint64_t length;          /* accesses of a window */
  uint64_t most;            /* windows; with more the distance doubles. 0: one window that never ends */
  uint64_t fetches;         /* 1: instruction fetches are accesses too */
  _Atomic uint64_t places;  /* processes so far */
  _Atomic uint64_t failed;  /* the errno of windows that could not be written; 0: all could */
  _Atomic uint64_t closed;  /* 1: the recorder takes no more windows */
  uint64_t slot_bytes;      /* of a slot in the file of windows */
  uint64_t slots;           /* in use so far */
  /* By process, the counts of its threads in whole batches: a signal may end it before it can say more. */
  struct {
    _Atomic uint64_t accesses, instructions;
  } counted[PLACES];
  pthread_mutex_t writing;  /* held to write to the file of windows */
};
#define NOT_YET UINT64_MAX
/* The number of this process, which is its place in `counted` if that has so many. */
extern uint64_t place;
extern struct shared *shared;

/* Frames have two words of head: type and process, then how many bytes follow. */
enum { FRAME_BYTES = PIPE_BUF, FRAME_WORDS = FRAME_BYTES / 8, HEAD_WORDS = 2 };
enum frame { BEGIN = 1, FORKED, ACCESSES, END, AWAY, THREAD, REGION, RESIDENT, THREAD_BEGIN };

extern char folder[PATH_MAX];
void send_frame(enum frame type, uint64_t *words, size_t bytes);
/* A frame of up to three words and a text. */
void send_text(enum frame type, const uint64_t *head, size_t head_words, const char *text);
/* False when the folder's name is too long. */
bool choose_pipe(void);

/* Before QEMU loads the program. False when there is no room for a window among the addresses. */
bool prepare_windows(void);
/*
 * Windows lie at even distances. The distance is a power of two of their length: the least that keeps them no more than
 * `most`. This is that power, for the window that begins after `index` without a gap. `windows.ts` has the same rule.
 */
uint64_t distance_at(uint64_t index);
/* Keeps accesses of thread `number` while their window stays. */
void keep_accesses(uint64_t window, uint64_t number, const uint64_t *accesses, size_t count);

/* A word of an access: the address, its kind from bit 56 on, and its size. */
enum { KIND_SHIFT = 56, SIZE_SHIFT = 58 };
#define ADDRESS_MASK ((1ull << KIND_SHIFT) - 1)

/* QEMU calls these for each access, fetch and block of instructions, and where windows begin. */
void on_memory(unsigned cpu, uint32_t info, uint64_t address, void *instruction);
void on_fetch(unsigned cpu, void *what);
void on_block(unsigned cpu, void *instructions);
void on_start(unsigned cpu, void *nothing);
/* And these when a thread of the program begins and ends. */
void on_thread(plugin_id id, unsigned cpu);
void on_thread_end(plugin_id id, unsigned cpu);
/* In a child: nothing of its parent's threads is its own. */
void forget_threads(void);

/* Sends what the process counted, all its accesses before it; and counts from 0 again. */
void end_process(void);

/* Accesses of all processes so far. */
uint64_t position_now(void);

/* Before QEMU loads the program; and once it has. */
void note_own_mappings(void);
void send_first_mappings(void);
/* A system call with these arguments has ended, and may have changed mappings. */
void mappings_changed(int64_t number, const uint64_t *arguments, int64_t result);
void send_resident(void);
void send_resident_if_changed(void);

/* An execve is about to happen: does it under QEMU, or returns. */
void follow(const char *path, char *const *argv, char *const *envp);
#endif
