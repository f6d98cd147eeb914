/* Follows programs that replace themselves. */
#define _GNU_SOURCE
#include "plugin.h"
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* FOLLOWED: QEMU can run it; LEAVES: Linux can, QEMU cannot, since it is for another machine or gets more rights. */
enum way { FOLLOWED, LEAVES, NO_PROGRAM };

static enum way way_of(const char *path, char *head, size_t bytes) {
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return access(path, X_OK) == 0 ? LEAVES : NO_PROGRAM;
  ssize_t got = read(fd, head, bytes - 1);
  bool ordinary = fstat(fd, &st) == 0 && !(st.st_mode & (S_ISUID | S_ISGID)) && fgetxattr(fd, "security.capability", NULL, 0) < 0;
  close(fd);
  if (got < 4) return NO_PROGRAM;
  head[got] = 0;
  if (head[0] == '#' && head[1] == '!') return ordinary ? FOLLOWED : LEAVES;
  const Elf64_Ehdr *elf = (const Elf64_Ehdr *)head;
  if (memcmp(head, ELFMAG, SELFMAG) != 0) return NO_PROGRAM;
#ifdef __aarch64__
  uint16_t machine = EM_AARCH64;
#else
  uint16_t machine = EM_X86_64;
#endif
  bool native = got >= (ssize_t)sizeof *elf && elf->e_ident[EI_CLASS] == ELFCLASS64 && elf->e_machine == machine;
  return native && ordinary ? FOLLOWED : LEAVES;
}

/* Commas end an option of QEMU's; two stand for one. */
static char *double_commas(char *to, const char *from) {
  for (; *from; *to++ = *from++)
    if (*from == ',') *to++ = ',';
  *to = 0;
  return to;
}

/*
 * A program replaces itself: QEMU would let it go, so it is started again under QEMU and this plugin. Scripts are
 * resolved as Linux does (execve(2), "Interpreter scripts"). Returns when execve itself will fail or say why.
 */
void follow(const char *path, char *const *argv, char *const *envp) {
  enum { SCRIPTS = 4, ARGUMENTS_BEFORE = 6 + 3 * SCRIPTS };
  static char heads[SCRIPTS + 1][512], qemu[PATH_MAX], option[4 * PATH_MAX];
  const char *before[2 * SCRIPTS + 1];
  size_t count = 0, words = 0;
  if (strcmp(path, "/proc/self/exe") == 0) path = qemu_plugin_path_to_binary();
  if (path == NULL || access(path, X_OK) != 0) return;
  const char *program = path, *name = argv != NULL && argv[0] != NULL ? argv[0] : path;
  /* The words of nested scripts, innermost first. */
  for (size_t depth = 0; ; depth++) {
    char *head = heads[depth];
    enum way way = way_of(program, head, sizeof heads[0]);
    if (way == NO_PROGRAM) return;
    if (way == LEAVES) {
      end_process();
      send_text(AWAY, NULL, 0, path);
      return;
    }
    if (head[0] != '#') break;
    if (depth == SCRIPTS) return;
    head[strcspn(head, "\n")] = 0;
    char *interpreter = head + 2 + strspn(head + 2, " \t"), *rest = interpreter + strcspn(interpreter, " \t");
    before[count++] = program;
    if (*rest != 0) {
      *rest++ = 0;
      rest += strspn(rest, " \t");
      for (size_t n = strlen(rest); n > 0 && (rest[n - 1] == ' ' || rest[n - 1] == '\t'); n--) rest[n - 1] = 0;
      if (*rest != 0) before[count++] = rest;
    }
    name = program = interpreter;
    if (access(program, X_OK) != 0) return;
  }
  ssize_t length = readlink("/proc/self/exe", qemu, sizeof qemu - 1);
  Dl_info self;
  if (length < 0 || dladdr((void *)&follow, &self) == 0) return;
  qemu[length] = 0;
  char *end = double_commas(option, self.dli_fname);
  end = stpcpy(end, ",folder=");
  double_commas(end, folder);
  while (argv != NULL && argv[words] != NULL) words++;
  char **all = calloc(words + ARGUMENTS_BEFORE, sizeof *all);
  if (all == NULL) return;
  size_t n = 0;
  all[n++] = qemu;
  all[n++] = "-plugin";
  all[n++] = option;
  all[n++] = "-0";
  all[n++] = (char *)name;
  all[n++] = (char *)program;
  while (count > 0) all[n++] = (char *)before[--count];
  for (size_t i = 1; i < words; i++) all[n++] = argv[i];
  end_process();
  execve(qemu, all, envp);
  free(all);
}
