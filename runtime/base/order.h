/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The order in which a device sees stores of the host, and the host sees stores of a device. Memory
 * of a device may be mapped write-combining, where the fences of C promise nothing. The functions
 * below use the processor's own instructions, as Linux does; libvyre is built for no other
 * processor.
 */
#pragma once

#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif !defined(__aarch64__)
#error "libvyre orders stores to a device on x86 with SSE2 and on ARM64 alone. Fix: build for \
one of these (-msse2 on i386), or say in base/order.h how this processor does it."
#endif

/* A device sees every earlier store before any later one, and soon: the write-combining buffers are
 * emptied, which no fence of C promises. Pairs with a load of the device that finds a later store,
 * such as the mark of a ticket. */
static inline void
vyre_order_flush (void)
{
#if defined(__SSE2__)
  _mm_sfence ();
  __atomic_thread_fence (__ATOMIC_RELEASE);
#else
  __asm__ volatile("dsb st" ::: "memory");
#endif
}

/* A later load finds at least what an earlier load implies, also of a device's stores. Pairs with
 * the barriers of the shader, as far as those reach the host. */
static inline void
vyre_order_loads (void)
{
#if defined(__SSE2__)
  __atomic_thread_fence (__ATOMIC_ACQUIRE);
#else
  __asm__ volatile("dmb oshld" ::: "memory");
#endif
}

/* Stores @n quarters of a ticket: 16 bytes each, the first word of which is a mark. A reader that
 * sees the mark sees the other three words, or later ones. @to and @from are aligned to 16 bytes.
 *
 * x86 stores a quarter with one instruction: makers of processors with AVX promise that 16 aligned
 * bytes are seen as a whole. C promises nothing of the kind for a copy, which may be made a byte
 * at a time. On ARM64 the marks are stored after the other words. */
static inline void
vyre_order_store_quarters (uint32_t *to, const uint32_t *from, unsigned n, int past_caches)
{
#if defined(__SSE2__)
  for (unsigned i = 0; i < n; i++) {
    __m128i quarter = _mm_load_si128 ((const __m128i *)from + i);
    if (past_caches)
      _mm_stream_si128 ((__m128i *)to + i, quarter);
    else
      *(volatile __m128i *)((__m128i *)to + i) = quarter;
  }
#else
  (void)past_caches;
  for (unsigned i = 0; i < 4 * n; i++) {
    if (i % 4 != 0)
      __atomic_store_n (&to[i], from[i], __ATOMIC_RELAXED);
  }
  __asm__ volatile("dmb oshst" ::: "memory");
  for (unsigned i = 0; i < 4 * n; i += 4)
    __atomic_store_n (&to[i], from[i], __ATOMIC_RELAXED);
#endif
}
