/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/wide-store.h"

#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>

/* Each stores whole lines of 64 bytes to @to, which is a multiple of its width, and returns how
 * many bytes these are. */
static gsize
wide_store_16 (guint8 *to, const guint8 *from, gsize size)
{
  gsize done = 0;

  for (; done + 64 <= size; done += 64) {
    __m128i a = _mm_loadu_si128 ((const __m128i *)(from + done));
    __m128i b = _mm_loadu_si128 ((const __m128i *)(from + done + 16));
    __m128i c = _mm_loadu_si128 ((const __m128i *)(from + done + 32));
    __m128i d = _mm_loadu_si128 ((const __m128i *)(from + done + 48));
    _mm_stream_si128 ((__m128i *)(to + done), a);
    _mm_stream_si128 ((__m128i *)(to + done + 16), b);
    _mm_stream_si128 ((__m128i *)(to + done + 32), c);
    _mm_stream_si128 ((__m128i *)(to + done + 48), d);
  }
  return done;
}

__attribute__ ((target ("avx2"))) static gsize
wide_store_32 (guint8 *to, const guint8 *from, gsize size)
{
  gsize done = 0;

  for (; done + 64 <= size; done += 64) {
    __m256i a = _mm256_loadu_si256 ((const __m256i *)(from + done));
    __m256i b = _mm256_loadu_si256 ((const __m256i *)(from + done + 32));
    _mm256_stream_si256 ((__m256i *)(to + done), a);
    _mm256_stream_si256 ((__m256i *)(to + done + 32), b);
  }
  return done;
}

__attribute__ ((target ("avx512f"))) static gsize
wide_store_64 (guint8 *to, const guint8 *from, gsize size)
{
  gsize done = 0;

  for (; done + 64 <= size; done += 64)
    _mm512_stream_si512 ((__m512i *)(to + done), _mm512_loadu_si512 (from + done));
  return done;
}
#endif

/* The widest store of this processor past its caches, in bytes; 1: it has none that is known here.
 */
gsize
vyre_wide_store_get_width (void)
{
#if defined(__SSE2__)
  if (__builtin_cpu_supports ("avx512f"))
    return 64;
  return __builtin_cpu_supports ("avx2") ? 32 : 16;
#else
  return 1;
#endif
}

/* As vyre_wide_store(), by stores of at most @width bytes, which the processor has. */
void
vyre_wide_store_by (gsize width, void *to, const void *from, gsize size)
{
  guint8 *target = to;
  const guint8 *source = from;
  gsize done = 0;

#if defined(__SSE2__)
  for (; (guintptr)(target + done) % width != 0 && done + 16 <= size; done += 16)
    _mm_stream_si128 (
        (__m128i *)(target + done), _mm_loadu_si128 ((const __m128i *)(source + done)));
  if (width == 64)
    done += wide_store_64 (target + done, source + done, size - done);
  else if (width == 32)
    done += wide_store_32 (target + done, source + done, size - done);
  else
    done += wide_store_16 (target + done, source + done, size - done);
#else
  (void)width;
#endif
  memcpy (target + done, source + done, size - done);
}

/* Copies into memory of the device, past the caches where the processor can: write-combining
 * memory gets whole lines, and the host's cache keeps what it has. @to is a multiple of 16; the
 * caller flushes with vyre_buffer_flush(). */
void
vyre_wide_store (void *to, const void *from, gsize size)
{
  vyre_wide_store_by (vyre_wide_store_get_width (), to, from, size);
}
