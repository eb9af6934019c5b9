/* What a library for old versions of glibc brings itself: functions that crates call without asking
 * whether they are there. Only `cargo x bindings` links this.
 *
 * A name that another library defines as well stays that library's business: nobody sees this one. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* Since glibc 2.27. glommio calls it. */
__attribute__((visibility("hidden"))) ssize_t copy_file_range(int from, off64_t *from_offset,
                                                              int to, off64_t *to_offset,
                                                              size_t length, unsigned flags) {
    return syscall(SYS_copy_file_range, from, from_offset, to, to_offset, length, flags);
}
