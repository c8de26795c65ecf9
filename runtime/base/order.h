/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * In which order a device sees stores of the host, and the host those of a device. Memory of
 * a device may be mapped write-combining, where the fences of C promise nothing; what a processor
 * has for that is here, as Linux uses it. On any other processor libvyre is not built.
 */
#pragma once

#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif !defined(__aarch64__)
#error "libvyre orders stores to a device on x86 with SSE2 and on ARM64 alone. Fix: build for \
one of these (-msse2 on i386), or say in base/order.h how this processor does it."
#endif

/* What was stored before is seen before what is stored after, and soon: it leaves the
 * write-combining buffers, which no other fences than these have to empty. */
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

/* What is loaded after is at least as new as what was loaded before, also of what a device
 * stored. Pairs with its barriers, as far as those reach the host. */
static inline void
vyre_order_loads (void)
{
#if defined(__SSE2__)
  __atomic_thread_fence (__ATOMIC_ACQUIRE);
#else
  __asm__ volatile("dmb oshld" ::: "memory");
#endif
}

/* Stores @n quarters of a ticket: 16 bytes each, the first word of which is a mark. Whoever sees
 * the mark sees the other three words, or later ones. Both are aligned to 16 bytes.
 *
 * x86 stores a quarter at once: what an instruction stores into 16 aligned bytes is seen as a
 * whole, which makers of processors with AVX promise. C does not, of a copy: it may be made a
 * byte at a time. Elsewhere the marks follow the other words. */
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
