/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * That nothing is copied, seen from outside: every memcpy(), memmove(), read() and pread()
 * that any library in this process calls comes by here while a stream runs, and none of
 * them may be of a payload's size. The counters have to say the same.
 */
#include "common.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gst/allocators/allocators.h>
#include <sys/mman.h>
#include <unistd.h>

/* What is smaller is no payload. */
#define LIMIT (64 * 1024)
#define SIZE 2000000

static gint watching;
static gint largest_copy;
static gint largest_read;

static void
note (gint *largest, gsize n)
{
  gint size = (gint)MIN (n, G_MAXINT), seen = g_atomic_int_get (largest);

  if (!g_atomic_int_get (&watching))
    return;
  while (size > seen && !g_atomic_int_compare_and_exchange (largest, seen, size))
    seen = g_atomic_int_get (largest);
}

typedef void *(*CopyFunction) (void *to, const void *from, size_t n);
static CopyFunction real_memmove;

static void *
copy (void *to, const void *from, size_t n)
{
  if (real_memmove)
    return real_memmove (to, from, n);
  for (volatile size_t i = 0; i < n; i++) /* while the library is looked for */
    ((volatile char *)to)[i] = ((const volatile char *)from)[i];
  return to;
}

static void __attribute__ ((constructor)) find_real_functions (void)
{
  real_memmove = (CopyFunction)dlsym (RTLD_NEXT, "memmove");
}

void *memcpy (void *restrict to, const void *restrict from, size_t n);
void *memmove (void *to, const void *from, size_t n);
void *__memcpy_chk (void *restrict to, const void *restrict from, size_t n, size_t room);
void *__memmove_chk (void *to, const void *from, size_t n, size_t room);

void *
memcpy (void *restrict to, const void *restrict from, size_t n)
{
  note (&largest_copy, n);
  return copy (to, from, n);
}

void *
memmove (void *to, const void *from, size_t n)
{
  note (&largest_copy, n);
  if (!real_memmove)
    find_real_functions ();
  return real_memmove (to, from, n);
}

void *
__memcpy_chk (void *restrict to, const void *restrict from, size_t n, size_t room)
{
  return memcpy (to, from, n);
}

void *
__memmove_chk (void *to, const void *from, size_t n, size_t room)
{
  return memmove (to, from, n);
}

ssize_t
read (int fd, void *to, size_t n)
{
  static ssize_t (*real) (int, void *, size_t);

  if (!real)
    real = (ssize_t (*) (int, void *, size_t))dlsym (RTLD_NEXT, "read");
  note (&largest_read, n);
  return real (fd, to, n);
}

ssize_t
pread64 (int fd, void *to, size_t n, off64_t offset)
{
  static ssize_t (*real) (int, void *, size_t, off64_t);

  if (!real)
    real = (ssize_t (*) (int, void *, size_t, off64_t))dlsym (RTLD_NEXT, "pread64");
  note (&largest_read, n);
  return real (fd, to, n, offset);
}

static void
watch (gboolean on)
{
  if (on)
    largest_copy = largest_read = 0;
  g_atomic_int_set (&watching, on);
}

/* ---- streams ----------------------------------------------------------------- */

/* Runs "@source ! vyrefilter" and returns the filter, in PLAYING, when all is through. */
static GstElement *
run (const gchar *source, const gchar *properties, GstElement **filter)
{
  gchar *text = g_strdup_printf ("%s ! vyrefilter name=filter program=\"u8_stats payload -> s\" "
                                 "post-messages=0 %s ! fakesink",
      source, properties);
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (text, &error);
  fail_unless (error == NULL, "%s", error ? error->message : "");
  GstBus *bus = gst_element_get_bus (pipeline);

  *filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
  gst_element_set_state (*filter, GST_STATE_READY); /* drivers compile with copies */
  watch (TRUE);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstMessage *end = gst_bus_timed_pop_filtered (
      bus, 3 * PATIENCE * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  watch (FALSE);
  fail_unless (end && GST_MESSAGE_TYPE (end) == GST_MESSAGE_EOS, "%s does not end well", source);
  gst_message_unref (end);
  gst_object_unref (bus);
  g_free (text);
  return pipeline;
}

static void
finish (GstElement *pipeline, GstElement *filter)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (filter);
  gst_object_unref (pipeline);
}

static void
check_zero_copy (GstElement *filter, gsize least)
{
  GstStructure *stats = stats_of (filter), *nested = NULL;
  gboolean zero_copy = FALSE;

  fail_unless (gst_structure_get (stats, "ingest", GST_TYPE_STRUCTURE, &nested, NULL));
  gst_structure_get_boolean (nested, "zero-copy", &zero_copy);
  fail_unless (zero_copy, "%s", gst_structure_get_string (nested, "zero-copy-verdict"));
  fail_unless_equals_uint64 (field_u64 (stats, "cpu-bounce-bytes"), 0);
  fail_unless (field_u64 (stats, "payload-bytes") >= least);
  gst_structure_free (nested);
  gst_structure_free (stats);
}

static gboolean
imports (GstElement *filter)
{
  return stat_of (filter, "import-threshold") <= SIZE;
}

GST_START_TEST (a_copied_stream_is_seen_to_be)
{
  GstElement *filter;
  GstElement *pipeline = run ("fakesrc num-buffers=4 sizetype=fixed sizemax=2000000",
      "import-threshold=1000000000", &filter);

  if (stat_of (filter, "cpu-bounce-bytes") > 0)
    fail_unless (largest_copy >= SIZE / 2, "the largest copy seen is of %d bytes", largest_copy);
  finish (pipeline, filter);
}
GST_END_TEST;

GST_START_TEST (frames_in_the_proposed_pool_are_not_copied)
{
  GstElement *filter;
  GstElement *pipeline = run ("videotestsrc num-buffers=20 pattern=snow ! "
                              "video/x-raw,format=I420,width=1280,height=720,framerate=30/1",
      "", &filter);

  check_zero_copy (filter, 20 * 1382400);
  fail_unless (largest_copy < LIMIT, "a copy of %d bytes", largest_copy);
  fail_unless (largest_read < LIMIT, "a read of %d bytes", largest_read);
  finish (pipeline, filter);
}
GST_END_TEST;

GST_START_TEST (imported_memory_is_not_copied)
{
  GstElement *filter;
  GstElement *pipeline = run (
      "fakesrc num-buffers=20 sizetype=fixed sizemax=2000000", "import-threshold=1", &filter);

  if (imports (filter)) {
    check_zero_copy (filter, 20 * SIZE);
    fail_unless_equals_uint64 (stat_nested (filter, "ingest", "import-bytes"), 20 * SIZE);
    fail_unless (largest_copy < LIMIT, "a copy of %d bytes", largest_copy);
    fail_unless (largest_read < LIMIT, "a read of %d bytes", largest_read);
  }
  finish (pipeline, filter);
}
GST_END_TEST;

/* Files are read by the kernel of the system alone, unless that is forbidden here. */
static void
check_reads (GstElement *filter)
{
  if (!stat_is (filter, "ingest-mode", "pread"))
    fail_unless (largest_read < LIMIT, "a read of %d bytes", largest_read);
  fail_unless (largest_copy < LIMIT, "a copy of %d bytes", largest_copy);
}

GST_START_TEST (files_are_read_into_place)
{
  gchar *path = NULL;
  int fd = g_file_open_tmp (NULL, &path, NULL);
  guint8 *data = noise_new (5 * SIZE, 1);
  GstElement *filter;

  fail_unless_equals_uint64 (write (fd, data, 5 * SIZE), 5 * SIZE);
  gchar *source = g_strdup_printf ("vyresrc location=%s blocksize=%d", path, SIZE);
  GstElement *pipeline = run (source, "", &filter);
  check_zero_copy (filter, 5 * SIZE);
  check_reads (filter);
  finish (pipeline, filter);
  unlink (path);
  close (fd);
  g_free (source);
  g_free (path);
  g_free (data);
}
GST_END_TEST;

static GstBuffer *
file_buffer (void)
{
  int fd = memfd_create ("payload", MFD_CLOEXEC);
  guint8 *data = noise_new (SIZE, 1);
  GstAllocator *allocator = gst_fd_allocator_new ();
  GstBuffer *buffer = gst_buffer_new ();

  fail_unless_equals_uint64 (pwrite (fd, data, SIZE, 0), SIZE);
  gst_buffer_append_memory (
      buffer, gst_fd_allocator_alloc (allocator, fd, SIZE, GST_FD_MEMORY_FLAG_NONE));
  gst_object_unref (allocator);
  g_free (data);
  return buffer;
}

GST_START_TEST (files_of_others_are_read_into_place)
{
  GstHarness *h = filter_new_with ("u8_stats payload -> s", "post-messages", 0, NULL);
  GstBuffer *buffer = file_buffer ();

  filter_start (h, NULL);
  watch (TRUE);
  for (guint i = 0; i < 10; i++)
    gst_buffer_unref (filter_run (h, gst_buffer_ref (buffer)));
  watch (FALSE);
  if (stat_nested (h->element, "ingest", "direct-bytes") == 0) {
    fail_unless_equals_uint64 (stat_nested (h->element, "ingest", "fd-bytes"), 10 * SIZE);
    check_reads (h->element);
  }
  check_zero_copy (h->element, 10 * SIZE);
  gst_buffer_unref (buffer);
  filter_finish (h);
}
GST_END_TEST;

/* ---- decoders ---------------------------------------------------------------- */

typedef struct {
  const gchar *encoder, *decoder;
} Codec;

static const Codec codecs[] = {
  { "vp8enc deadline=1 cpu-used=8", "vp8dec" },
  { "vp9enc deadline=1 cpu-used=8", "vp9dec" },
  { "theoraenc speed-level=3", "theoradec" },
  { "jpegenc", "jpegdec" },
  { "pngenc", "pngdec" },
  { "x264enc speed-preset=ultrafast", "avdec_h264" },
  { "openh264enc", "openh264dec" },
};

static gboolean
is_installed (const gchar *launch)
{
  g_auto (GStrv) words = g_strsplit (launch, " ", 2);
  GstElementFactory *factory = gst_element_factory_find (words[0]);
  gboolean found = factory != NULL;

  if (factory)
    gst_object_unref (factory);
  return found;
}

GST_START_TEST (decoders_write_where_the_kernel_reads)
{
  const Codec *codec = &codecs[__i__];
  GstElement *filter;

  if (!is_installed (codec->encoder) || !is_installed (codec->decoder))
    return;
  gchar *source = g_strdup_printf ("videotestsrc num-buffers=5 ! "
                                   "video/x-raw,width=640,height=480,framerate=30/1 ! "
                                   "videoconvert ! %s ! %s",
      codec->encoder, codec->decoder);
  /* set, it is for frames that come once, too */
  GstElement *pipeline = run (source, "import-threshold=1", &filter);
  check_zero_copy (filter, 5 * 640 * 480);
  finish (pipeline, filter);
  g_free (source);
}
GST_END_TEST;

static Suite *
copies_suite (void)
{
  Suite *s = suite_create ("copies");
  TCase *tc = tcase_create ("none");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, a_copied_stream_is_seen_to_be);
  tcase_add_test (tc, frames_in_the_proposed_pool_are_not_copied);
  tcase_add_test (tc, imported_memory_is_not_copied);
  tcase_add_test (tc, files_are_read_into_place);
  tcase_add_test (tc, files_of_others_are_read_into_place);
  tcase_add_loop_test (tc, decoders_write_where_the_kernel_reads, 0, G_N_ELEMENTS (codecs));
  return s;
}

GST_CHECK_MAIN (copies);
