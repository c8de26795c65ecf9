/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "restriction.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The system calls @first to @last fail with @error in every thread of the process. */
gboolean
restriction_refuse (guint first, guint last, int error)
{
  struct sock_filter code[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
    BPF_JUMP (BPF_JMP | BPF_JGT | BPF_K, last, 1, 0),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (guint)error),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = { .len = G_N_ELEMENTS (code), .filter = code };

  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
         && syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program)
                == 0;
}

/* Drops CAP_IPC_LOCK, which lifts the limit. It leaves the bounding set as well: otherwise root has
 * it again in the next program. */
static gboolean
drop_ipc_lock (void)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct data[2] = { 0 };

  if (syscall (SYS_capget, &header, data) != 0)
    return FALSE;
  if (!(data[0].permitted & (1u << CAP_IPC_LOCK)))
    return TRUE;
  data[0].effective &= ~(1u << CAP_IPC_LOCK);
  data[0].permitted &= ~(1u << CAP_IPC_LOCK);
  data[0].inheritable &= ~(1u << CAP_IPC_LOCK);
  return prctl (PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0) == 0
         && syscall (SYS_capset, &header, data) == 0;
}

gboolean
restriction_limit_memlock (gsize bytes)
{
  const struct rlimit limit = { bytes, bytes };

  return drop_ipc_lock () && setrlimit (RLIMIT_MEMLOCK, &limit) == 0;
}
