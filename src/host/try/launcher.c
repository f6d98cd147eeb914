/*
 * Runs one command with huge pages allowed or forbidden, and says what it cost, for `pagewalk try`.
 *
 *   launcher base|huge [NAME=VALUE...] -- COMMAND [ARGUMENT...]
 *
 * NAME=VALUE go into the environment of the command. One line of JSON goes to file descriptor 3, which the command never
 * gets. Huge pages are forbidden by PR_SET_THP_DISABLE: children inherit it, and it survives exec. Source: Linux manual
 * pages, PR_SET_THP_DISABLE(2const).
 *
 * Times are those of all processes that the command brought about. Orphans come to us by PR_SET_CHILD_SUBREAPER. What
 * still runs when the command has ended is ended too, so that nothing runs into the next measurement.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REPORT_FD 3

static volatile pid_t command;
static volatile sig_atomic_t stopped;

static void stop(int signal) {
  (void)signal;
  int error = errno;
  stopped = 1;
  kill(-command, SIGKILL);
  errno = error;
}

static long long microseconds(struct timeval time) {
  return time.tv_sec * 1000000LL + time.tv_usec;
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

static int fail(const char *what, int error) {
  dprintf(REPORT_FD, "{\"failed\":\"%s\",\"why\":\"%s\"}\n", what, strerror(error));
  return 1;
}

/* The parent of a process; 0 if it is gone. Source: Linux manual pages, proc_pid_stat(5). */
static int parent_of(const char *pid) {
  char path[300], text[512];
  snprintf(path, sizeof path, "/proc/%s/stat", pid);
  int file = open(path, O_RDONLY | O_CLOEXEC), parent = 0;
  if (file < 0) return 0;
  ssize_t got = read(file, text, sizeof text - 1);
  close(file);
  text[got > 0 ? got : 0] = 0;
  /* A program's name may have brackets and spaces of its own. */
  const char *name_ends = strrchr(text, ')');
  if (name_ends == NULL || sscanf(name_ends, ") %*c %d", &parent) != 1) return 0;
  return parent;
}

/* Kills each of our children, and says whether there was any. */
static int kill_children(void) {
  DIR *folder = opendir("/proc");
  if (folder == NULL) return 0;
  int any = 0;
  struct dirent *entry;
  while ((entry = readdir(folder)) != NULL) {
    int pid = atoi(entry->d_name);
    if (pid <= 0 || parent_of(entry->d_name) != getpid()) continue;
    kill(pid, SIGKILL);
    any = 1;
  }
  closedir(folder);
  return any;
}

/* Ends all that the command left running; the children of those killed come to us next. Returns how many there were. */
static int end_the_rest(void) {
  int ended = 0;
  /* Those that are dead already were not left running. */
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
  kill(-command, SIGKILL);
  for (;;) {
    int any = kill_children();
    pid_t pid = waitpid(-1, NULL, any ? 0 : WNOHANG);
    if (pid > 0) ended++;
    else if (pid == 0 || errno != EINTR) return ended;
  }
}

/* In the child: becomes the command, or sends errno through `pipe`. */
static void become(char **words, int forbid, int pipe, const sigset_t *signals) {
  /* A group of its own, to be ended as a whole. */
  setpgid(0, 0);
  sigprocmask(SIG_SETMASK, signals, NULL);
  int error = 0;
  if (prctl(PR_SET_THP_DISABLE, forbid, 0, 0, 0) != 0) error = -errno;
  for (; strcmp(*words, "--") != 0; words++) putenv(*words);
  if (error == 0) {
    execvp(words[1], words + 1);
    error = errno;
  }
  if (write(pipe, &error, sizeof error) != sizeof error) _exit(126);
  _exit(127);
}

int main(int count, char **words) {
  int command_at = 2;
  while (command_at < count && strcmp(words[command_at], "--") != 0) command_at++;
  if (command_at + 1 >= count) return 2;
  int forbid = strcmp(words[1], "base") == 0;
  fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  /* Whoever started us may be killed: the command does not outlive that. */
  prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
  sigset_t ending, before;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGHUP);
  sigprocmask(SIG_BLOCK, &ending, &before);
  int pipes[2];
  if (pipe2(pipes, O_CLOEXEC) != 0) return fail("pipe", errno);

  long long begun = now();
  command = fork();
  if (command < 0) return fail("fork", errno);
  if (command == 0) become(words + 2, forbid, pipes[1], &before);
  setpgid(command, command);
  struct sigaction action = {.sa_handler = stop};
  for (int signal = 1; signal < NSIG; signal++)
    if (sigismember(&ending, signal) == 1) sigaction(signal, &action, NULL);
  sigprocmask(SIG_SETMASK, &before, NULL);
  close(pipes[1]);
  int error = 0;
  ssize_t got;
  while ((got = read(pipes[0], &error, sizeof error)) < 0 && errno == EINTR) continue;

  int status = 0;
  pid_t ended;
  /* Orphans that end meanwhile are waited for here too; their times count. */
  while ((ended = waitpid(-1, &status, 0)) != command && (ended > 0 || errno == EINTR)) continue;
  long long wall = now() - begun;
  int left = end_the_rest();
  if (got > 0) return error < 0 ? fail("prctl", -error) : fail("exec", error);
  if (stopped) return 1;

  struct rusage use;
  getrusage(RUSAGE_CHILDREN, &use);
  dprintf(REPORT_FD,
          "{\"exitCode\":%d,\"signal\":%d,\"userMicroseconds\":%lld,\"systemMicroseconds\":%lld,"
          "\"wallMicroseconds\":%lld,\"minorFaults\":%ld,\"majorFaults\":%ld,\"leftRunning\":%d}\n",
          WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
          microseconds(use.ru_utime), microseconds(use.ru_stime), wall, use.ru_minflt, use.ru_majflt, left);
  return 0;
}
