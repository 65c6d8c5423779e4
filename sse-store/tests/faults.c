// Faults at the file layer, for the crash tests: with LD_PRELOAD these come before the functions of libc.
//
//   FAULTS_BELOW=directory    only files below it are concerned
//   FAULTS=call:fate:number   what becomes of that call, from 1
//
// call   write, sync, datasync, create (a file or directory), remove, read, or any
// fate   kill  half is written, and the process kills itself
//        full  half is written, and then nothing any more: ENOSPC
//        room  the same, but after three calls there is room again
//        once  EIO
//        ever  EIO, and from then on
//
// A line "fault" on standard output says that it has happened. Renames come as bare system calls and cannot be caught.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *below;
static char call[16], fate[16];
static long number;
static atomic_long calls;

__attribute__((constructor)) static void begin(void) {
    const char *faults = getenv("FAULTS");
    below = getenv("FAULTS_BELOW");
    if (!faults || !below || sscanf(faults, "%15[a-z]:%15[a-z]:%ld", call, fate, &number) != 3) below = NULL;
}

static int is_below(const char *path) {
    return below && !strncmp(path, below, strlen(below));
}

static int is_file_below(int file) {
    char link[32], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = below ? readlink(link, path, sizeof path - 1) : -1;
    if (length < 0) return 0;
    path[length] = 0;
    return is_below(path);
}

static int is(const char *one, const char *other) { return !strcmp(one, other); }

enum { PASSES, HALF, FAILS };

static int fault(const char *name) {
    if (!is(call, name) && !is(call, "any")) return PASSES;
    long now = atomic_fetch_add(&calls, 1) + 1;
    if (now < number) return PASSES;
    if (now == number) syscall(SYS_write, 1, "fault\n", 6);
    if (is(fate, "kill")) return HALF;
    if (is(fate, "room") && now >= number + 3) return PASSES;
    if (is(fate, "full") || is(fate, "room")) return errno = ENOSPC, now == number && is(name, "write") ? HALF : FAILS;
    return errno = EIO, now == number || is(fate, "ever") ? FAILS : PASSES;
}

static void end(void) {
    if (is(fate, "kill")) kill(getpid(), SIGKILL);
}

// All that there is of a call, but for its end: `whole`, or `half` of it.
#define FAULTY(name, concerned, whole, half)          \
    switch ((concerned) ? fault(name) : PASSES) {     \
    case PASSES: return whole;                        \
    case FAILS: return -1;                            \
    default: {                                        \
        long result = half;                           \
        end();                                        \
        return result;                                \
    }                                                 \
    }

ssize_t write(int file, const void *data, size_t bytes) {
    FAULTY("write", is_file_below(file), syscall(SYS_write, file, data, bytes),
           syscall(SYS_write, file, data, (bytes + 1) / 2))
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    FAULTY("write", is_file_below(file), syscall(SYS_writev, file, parts, count),
           syscall(SYS_write, file, parts->iov_base, (parts->iov_len + 1) / 2))
}

ssize_t pwrite64(int file, const void *data, size_t bytes, off64_t at) {
    FAULTY("write", is_file_below(file), syscall(SYS_pwrite64, file, data, bytes, at),
           syscall(SYS_pwrite64, file, data, (bytes + 1) / 2, at))
}

int ftruncate64(int file, off64_t bytes) {
    FAULTY("write", is_file_below(file), syscall(SYS_ftruncate, file, bytes), 0)
}

int fsync(int file) { FAULTY("sync", is_file_below(file), syscall(SYS_fsync, file), 0) }

int fdatasync(int file) { FAULTY("datasync", is_file_below(file), syscall(SYS_fdatasync, file), 0) }

ssize_t read(int file, void *data, size_t bytes) {
    FAULTY("read", is_file_below(file), syscall(SYS_read, file, data, bytes), 0)
}

ssize_t pread64(int file, void *data, size_t bytes, off64_t at) {
    FAULTY("read", is_file_below(file), syscall(SYS_pread64, file, data, bytes, at), 0)
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    int mode = flags & O_CREAT ? va_arg(rest, int) : 0;
    va_end(rest);
    int creates = flags & O_CREAT && is_below(path) && access(path, F_OK);
    FAULTY("create", creates, syscall(SYS_openat, AT_FDCWD, path, flags, mode),
           syscall(SYS_openat, AT_FDCWD, path, flags, mode))
}

int mkdir(const char *path, mode_t mode) {
    FAULTY("create", is_below(path), syscall(SYS_mkdirat, AT_FDCWD, path, mode),
           syscall(SYS_mkdirat, AT_FDCWD, path, mode))
}

int unlink(const char *path) {
    FAULTY("remove", is_below(path), syscall(SYS_unlinkat, AT_FDCWD, path, 0),
           syscall(SYS_unlinkat, AT_FDCWD, path, 0))
}

int unlinkat(int folder, const char *path, int flags) {
    FAULTY("remove", is_below(path) || is_file_below(folder), syscall(SYS_unlinkat, folder, path, flags),
           syscall(SYS_unlinkat, folder, path, flags))
}
