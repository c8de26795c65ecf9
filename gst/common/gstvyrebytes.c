/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/gstvyrebytes.h"

#include <errno.h>
#include <fcntl.h>
#include <gst/allocators/allocators.h>
#include <string.h>
#include <unistd.h>

#include "common/gstvyrefile.h"
#include "vyre/vyre.h"

/* Most bytes that pass through the pipe at a time */
#define PIECE 65536

/* Sets the error of memory that promises @size bytes and has @found. */
void
gst_vyre_bytes_set_cut (GError **error, gsize size, gsize found)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_IO,
      "A buffer promises %" G_GSIZE_FORMAT " bytes of a file, which ends after %" G_GSIZE_FORMAT
      " of them. Fix: do not cut files while buffers have them; seal them with F_SEAL_SHRINK.",
      size, found);
}

static void
bytes_set_unreadable (GError **error, const char *why)
{
  g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
      "A buffer's memory cannot be read: %s. Fix: put an element in front that maps its memory for "
      "the CPU.",
      why);
}

static gboolean
bytes_read_file (GstMemory *memory, guint8 *data, GError **error)
{
  int fd = gst_fd_memory_get_fd (memory);
  gsize done = 0;
  gssize n = 1;

  while (done < memory->size && n > 0) {
    n = TEMP_FAILURE_RETRY (
        pread (fd, data + done, memory->size - done, (off_t)(memory->offset + done)));
    done += (gsize)MAX (n, 0);
  }
  if (n < 0)
    bytes_set_unreadable (error, g_strerror (errno));
  else if (done < memory->size)
    gst_vyre_bytes_set_cut (error, memory->size, done);
  return done == memory->size;
}

/* Reading through the system reports a page that is gone; reading the page itself would end the
 * process. */
static gboolean
bytes_copy_by_pipe (const int *ends, const GstMapInfo *from, guint8 *data, GError **error)
{
  gsize done = 0;

  while (done < from->size) {
    gssize n
        = TEMP_FAILURE_RETRY (write (ends[1], from->data + done, MIN (from->size - done, PIECE)));
    if (n > 0)
      n = TEMP_FAILURE_RETRY (read (ends[0], data + done, (gsize)n));
    if (n <= 0 && errno == EFAULT)
      gst_vyre_bytes_set_cut (error, from->size, done);
    else if (n <= 0)
      bytes_set_unreadable (error, g_strerror (errno));
    if (n <= 0)
      return FALSE;
    done += (gsize)n;
  }
  return TRUE;
}

static gboolean
bytes_copy_loose_map (const GstMapInfo *from, guint8 *data, GError **error)
{
  int ends[2];

  if (pipe2 (ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    bytes_set_unreadable (error, g_strerror (errno));
    return FALSE;
  }
  gboolean fine = bytes_copy_by_pipe (ends, from, data, error);
  close (ends[0]);
  close (ends[1]);
  return fine;
}

static gboolean
bytes_copy_memory (GstMemory *memory, guint8 *data, GError **error)
{
  gboolean loose = gst_vyre_file_get_hold (memory) == GST_VYRE_FILE_LOOSE, fine = TRUE;
  GstMapInfo map;

  if (loose && gst_vyre_file_is_memory (memory))
    return bytes_read_file (memory, data, error);
  if (!gst_memory_map (memory, &map, GST_MAP_READ)) {
    bytes_set_unreadable (error, "it cannot be mapped");
    return FALSE;
  }
  if (loose)
    fine = bytes_copy_loose_map (&map, data, error);
  else
    memcpy (data, map.data, map.size);
  gst_memory_unmap (memory, &map);
  return fine;
}

/* TRUE if all of @buffer may be read through a mapping, now and later. */
gboolean
gst_vyre_bytes_are_mappable (GstBuffer *buffer)
{
  for (guint i = 0; i < gst_buffer_n_memory (buffer); i++) {
    if (gst_vyre_file_get_hold (gst_buffer_peek_memory (buffer, i)) == GST_VYRE_FILE_LOOSE)
      return FALSE;
  }
  return TRUE;
}

/* Copies all bytes of @buffer, which may have any number of memories. */
gboolean
gst_vyre_bytes_copy (GstBuffer *buffer, guint8 *data, GError **error)
{
  for (guint i = 0; i < gst_buffer_n_memory (buffer); i++) {
    GstMemory *memory = gst_buffer_peek_memory (buffer, i);
    if (!bytes_copy_memory (memory, data, error))
      return FALSE;
    data += memory->size;
  }
  return TRUE;
}
