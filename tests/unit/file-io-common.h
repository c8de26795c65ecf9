/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files whose bytes tell their offset, and reads of them that succeed or fail as they should.
 */
#pragma once

#include "vyre/file-io.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB ((gsize)1 << 20)
#define PAGE ((gsize)4096)

static inline guint8 *
map_memory (gsize size)
{
  guint8 *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  g_assert_true (memory != MAP_FAILED);
  return memory;
}

/* A file without a name, full of bytes that tell their offset. */
static inline int
make_file (gsize size)
{
  g_autofree char *name = NULL;
  guint64 *words = (guint64 *)map_memory (size + PAGE);
  int fd = g_file_open_tmp ("vyre-file-io-XXXXXX", &name, NULL);

  g_assert_cmpint (fd, >=, 0);
  unlink (name);
  for (gsize i = 0; i <= size / sizeof *words; i++)
    words[i] = (i + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  for (gsize done = 0; done < size;) {
    gssize n = write (fd, (guint8 *)words + done, size - done);

    g_assert_cmpint (n, >, 0);
    done += (gsize)n;
  }
  munmap (words, size + PAGE);
  return fd;
}

static inline void
read_ok (
    VyreFileIo *file_io, int fd, guint64 offset, void *destination, gsize length, gsize expected)
{
  g_autoptr (GError) error = NULL;
  gsize bytes_read = G_MAXSIZE;
  gboolean done = vyre_file_io_read (file_io, fd, offset, destination, length, &bytes_read, &error);

  g_assert_no_error (error);
  g_assert_true (done);
  g_assert_cmpuint (bytes_read, ==, expected);
}

static inline void
read_fails (VyreFileIo *file_io, int fd, guint64 offset, void *destination, gsize length,
    VyreError code, int reason)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *where = g_strdup_printf ("offset %" G_GUINT64_FORMAT, offset);
  gsize bytes_read = G_MAXSIZE;

  g_assert_false (
      vyre_file_io_read (file_io, fd, offset, destination, length, &bytes_read, &error));
  g_assert_error (error, VYRE_ERROR, (int)code);
  g_assert_cmpuint (bytes_read, ==, 0);
  g_assert_nonnull (strstr (error->message, where));
  if (reason)
    g_assert_nonnull (strstr (error->message, g_strerror (reason)));
  g_assert_nonnull (strstr (error->message, ". Fix: "));
  g_assert_true (g_str_has_suffix (error->message, "."));
}

static inline void
assert_same_as_pread (int fd, guint64 offset, const guint8 *bytes, gsize length)
{
  g_autofree guint8 *expected = g_malloc (length);

  g_assert_cmpint (pread (fd, expected, length, (off_t)offset), ==, (gssize)length);
  g_assert_cmpint (memcmp (bytes, expected, length), ==, 0);
}

static inline VyreFileIoCounters
get_counters (VyreFileIo *file_io)
{
  VyreFileIoCounters counters;

  vyre_file_io_get_counters (file_io, &counters);
  return counters;
}

static inline void
assert_counters_add_up (VyreFileIo *file_io)
{
  VyreFileIoCounters c = get_counters (file_io);

  g_assert_cmpuint (c.reads_submitted, ==, c.reads_completed + c.reads_failed);
  g_assert_cmpuint (c.reads_submitted, ==, c.fixed_reads + c.ring_reads + c.plain_reads);
  g_assert_cmpuint (c.bytes_completed, <=, c.bytes_submitted);
  if (vyre_file_io_get_mode (file_io) == VYRE_READ_MODE_PREAD)
    g_assert_cmpuint (c.fixed_reads + c.ring_reads, ==, 0);
  else
    g_assert_cmpuint (c.plain_reads, ==, 0);
}

static inline void
free_idle (VyreFileIo *file_io)
{
  assert_counters_add_up (file_io);
  vyre_file_io_free (file_io);
}

/* TRUE when this machine allows the best rung; otherwise skips the test. Tests of refusals need no
 * rung. */
static inline gboolean
have_best (void)
{
  guint8 *staging = map_memory (PAGE);
  VyreFileIo *file_io = vyre_file_io_new (staging, PAGE, VYRE_READ_MODE_SINGLE_ISSUER);
  gboolean best = vyre_file_io_get_reason (file_io) == NULL;

  if (!best)
    g_test_skip (vyre_file_io_get_reason (file_io));
  vyre_file_io_free (file_io);
  munmap (staging, PAGE);
  return best;
}

/* Adds @test once for each rung up to @last. */
static inline void
add_for_each_rung (const char *name, GTestDataFunc test, VyreReadMode last)
{
  for (VyreReadMode rung = VYRE_READ_MODE_SINGLE_ISSUER; rung <= last; rung++) {
    g_autofree char *path = g_strdup_printf ("/file-io/%s/%s", name, vyre_read_mode_name (rung));

    g_test_add_data_func (path, GUINT_TO_POINTER (rung), test);
  }
}
