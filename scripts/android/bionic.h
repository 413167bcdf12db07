// The part of bionic's headers that LLVM's libunwind and ring need, for a build without the NDK.
//
// scripts/android/toolchain puts a header of one line, including this file, in the place of each system header
// that is asked for; C code sees nothing else, so no host header can decide a layout. Every type below has bionic's
// layout at API 26; a declaration that is missing is a compile error, not a guess.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// stdlib.h, string.h; posix_memalign is for clang's own mm_malloc.h on x86-64.
void abort(void) __attribute__((__noreturn__));
void *calloc(size_t count, size_t size);
void free(void *memory);
char *getenv(const char *name);
void *malloc(size_t size);
int posix_memalign(void **memory, size_t alignment, size_t size);
int memcmp(const void *left, const void *right, size_t size);
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *memory, int byte, size_t size);
int strcmp(const char *left, const char *right);
size_t strlen(const char *text);
char *strncpy(char *to, const char *from, size_t size);

// stdio.h: only ever passed on, so its fields stay unknown. bionic exports stderr since API 23.
typedef struct __sFILE FILE;
extern FILE *stderr;
int fflush(FILE *stream);
int fprintf(FILE *stream, const char *format, ...) __attribute__((__format__(__printf__, 2, 3)));
int snprintf(char *to, size_t size, const char *format, ...) __attribute__((__format__(__printf__, 3, 4)));

// assert.h: libunwind is built with NDEBUG.
#define assert(condition) ((void)0)

// errno.h, with the kernel's numbers.
int *__errno(void);
#define errno (*__errno())
#define EFAULT 14
#define EINVAL 22

// inttypes.h: what the printf macros are on 64 and on 32 bits.
#ifdef __LP64__
#define HOLDFAST_PRI64 "l"
#define HOLDFAST_PRIPTR "l"
#else
#define HOLDFAST_PRI64 "ll"
#define HOLDFAST_PRIPTR ""
#endif
#define PRId64 HOLDFAST_PRI64 "d"
#define PRIu64 HOLDFAST_PRI64 "u"
#define PRIx64 HOLDFAST_PRI64 "x"
#define PRIX64 HOLDFAST_PRI64 "X"
#define PRIuPTR HOLDFAST_PRIPTR "u"
#define PRIxPTR HOLDFAST_PRIPTR "x"
#define PRIu8 "u"
#define PRIx8 "x"
#define PRIu16 "u"
#define PRIx16 "x"
#define PRId32 "d"
#define PRIu32 "u"
#define PRIx32 "x"
#define PRIX32 "X"

// pthread.h: bionic's read-write lock is 14 words on 64 bits and 10 on 32, all zero when fresh.
#ifdef __LP64__
typedef struct {
  int32_t words[14];
} pthread_rwlock_t;
#else
typedef struct {
  int32_t words[10];
} pthread_rwlock_t;
#endif
#define PTHREAD_RWLOCK_INITIALIZER {{0}}
int pthread_rwlock_rdlock(pthread_rwlock_t *lock);
int pthread_rwlock_wrlock(pthread_rwlock_t *lock);
int pthread_rwlock_unlock(pthread_rwlock_t *lock);

// signal.h, sys/syscall.h, unistd.h: libunwind probes, on arm64 only, whether an address can be read.
typedef struct {
  unsigned long bits[1];
} sigset_t;
#define NSIG 65
#define SYS_rt_sigprocmask 135
long syscall(long number, ...);

// dlfcn.h
typedef struct {
  const char *dli_fname;
  void *dli_fbase;
  const char *dli_sname;
  void *dli_saddr;
} Dl_info;
int dladdr(const void *address, Dl_info *info);

// link.h, elf.h: types of the ELF specification.
#define PT_LOAD 1
#define PT_DYNAMIC 2
#define PT_GNU_EH_FRAME 0x6474e550
typedef uint16_t Elf64_Half, Elf32_Half;
typedef uint64_t Elf64_Addr;
typedef uint32_t Elf32_Addr;
typedef struct {
  uint32_t p_type, p_flags;
  uint64_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
} Elf64_Phdr;
typedef struct {
  uint32_t p_type, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_flags, p_align;
} Elf32_Phdr;
#ifdef __LP64__
#define ElfW(type) Elf64_##type
#else
#define ElfW(type) Elf32_##type
#endif
struct dl_phdr_info {
  ElfW(Addr) dlpi_addr;
  const char *dlpi_name;
  const ElfW(Phdr) *dlpi_phdr;
  ElfW(Half) dlpi_phnum;
  // Filled since API 30 only; the size that the callback is given tells.
  unsigned long long dlpi_adds, dlpi_subs;
};
int dl_iterate_phdr(int (*callback)(struct dl_phdr_info *info, size_t size, void *data), void *data);
#ifdef __arm__
typedef unsigned long *_Unwind_Ptr;
_Unwind_Ptr dl_unwind_find_exidx(_Unwind_Ptr address, int *count);
#endif

#ifdef __cplusplus
}
#endif
