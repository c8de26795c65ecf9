/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Words of a buffer that a kernel may share. Buffers of a caller may have any
 * alignment; those that a kernel shares are aligned, and only for them does a
 * single store or load mean anything to it.
 */
#pragma once

#include "vyre/parts.h"

static inline gboolean
vyre_word_is_aligned (const void *buffer)
{
  return (guintptr)buffer % sizeof (guint32) == 0;
}

/* Who sees the value also sees everything that was written before it. */
static inline void
vyre_word_release (void *buffer, gsize word, guint32 value)
{
  if (vyre_word_is_aligned (buffer)) {
    __atomic_store_n ((guint32 *)buffer + word, GUINT32_TO_LE (value), __ATOMIC_RELEASE);
    return;
  }
  __atomic_thread_fence (__ATOMIC_RELEASE);
  vyre_write_word (buffer, word, value);
}

/* What is read after this is at least as new as the value. */
static inline guint32
vyre_word_acquire (const void *buffer, gsize word)
{
  if (vyre_word_is_aligned (buffer))
    return GUINT32_FROM_LE (__atomic_load_n ((const guint32 *)buffer + word, __ATOMIC_ACQUIRE));
  guint32 value = vyre_read_word (buffer, word);
  __atomic_thread_fence (__ATOMIC_ACQUIRE);
  return value;
}
