/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bounds of vyrereadbackparse: caps, heads and indices that were made to have it look outside
 * of a buffer, or wait for or keep more than there is.
 */
#include <dlfcn.h>
#include <string.h>

#include <glib/gstdio.h>
#include <gst/base/gstbaseparse.h>

#include "common.h"

#define FILE_CAPS "application/x-vyre-readback-file"
#define MEDIA "application/x-vyre-readback"
#define HEAD 48
#define ANY G_MAXUINT64
#define MIB (1024 * 1024)

/* A readback of 162 words of control, so 2 of which are results, one slot, and no more than heads
 */
#define SIZES "control-size=648,ring-size=64,debug-log-size=1028,io-queue-size=2048"
#define SIZE (648 + 64 + 1028 + 2048)
#define GOOD MEDIA "," SIZES ",has-sequence=false"

static void
play (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
}

/* Waits for the end, and counts the readbacks in front of it. @error gets the element's own, or
 * NULL. */
static guint
wait_for_end (GstBus *bus, gchar **error)
{
  guint n = 0;

  *error = NULL;
  for (;;) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        bus, PATIENCE * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);
    g_autoptr (GError) reason = NULL;
    fail_unless (message != NULL, "the stream does not end");
    n += gst_message_has_name (message, "vyre-results");
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
      return n;
    if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
      continue;
    gst_message_parse_error (message, &reason, NULL);
    *error = g_strdup (reason->message);
    return n;
  }
}

/* ---- a stream ------------------------------------------------------------------------------ */

/* Pushes @bytes of @caps, and the end. Returns how many readbacks come out; @error gets the first
 * one, or NULL. */
static guint
push_bytes (const gchar *caps, const GByteArray *bytes, gchar **error)
{
  GstHarness *h = gst_harness_new ("vyrereadbackparse");
  g_autoptr (GstBus) bus = gst_bus_new ();
  GError *reason = NULL;

  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps_str (h, caps);
  gst_harness_push (h, buffer_of (bytes->data, bytes->len));
  gst_harness_push_event (h, gst_event_new_eos ());
  guint n = gst_harness_buffers_received (h);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  if (message)
    gst_message_parse_error (message, &reason, NULL);
  *error = reason ? g_strdup (reason->message) : NULL;
  g_clear_error (&reason);
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
  return n;
}

static void
expect_refusal (const gchar *caps, const GByteArray *bytes, const gchar *part)
{
  gchar *error;

  fail_unless_equals_int (push_bytes (caps, bytes, &error), 0);
  fail_unless (error != NULL, "'%s' is no error", caps);
  fail_unless (strstr (error, part) && strstr (error, ". Fix: "), "'%s' of '%s'", error, caps);
  g_free (error);
}

static GByteArray *
zeros (guint size)
{
  GByteArray *bytes = g_byte_array_new ();

  g_byte_array_set_size (bytes, size);
  memset (bytes->data, 0, size);
  return bytes;
}

/* ---- caps ---------------------------------------------------------------------------------- */

/* Sizes that no readback has. */
GST_START_TEST (forged_sizes_are_refused)
{
  static const struct {
    const gchar *sizes;
    const gchar *part;
  } forged[] = {
    { "control-size=648,ring-size=64,debug-log-size=1028", "no io-queue-size" },
    { "control-size=648,ring-size=64,io-queue-size=2048", "no debug-log-size" },
    { "control-size=648,debug-log-size=1028,io-queue-size=2048", "no ring-size" },
    { "control-size=648,ring-size=-64,debug-log-size=1028,io-queue-size=2048", "no ring-size" },
    { "control-size=-1,ring-size=64,debug-log-size=1028,io-queue-size=2048", "no control-size" },
    { "control-size=64,ring-size=64,debug-log-size=1028,io-queue-size=2048", "of 64 bytes" },
    { "control-size=0,ring-size=64,debug-log-size=1028,io-queue-size=2048", "of 0 bytes" },
    { "control-size=650,ring-size=64,debug-log-size=1028,io-queue-size=2048", "of 650 bytes" },
    { "control-size=2147483644,ring-size=64,debug-log-size=0,io-queue-size=0", "2147483644" },
    { "control-size=648,ring-size=65,debug-log-size=1028,io-queue-size=2048", "a ring of 65" },
    { "control-size=648,ring-size=2147483584,debug-log-size=2147483647,io-queue-size=2147483647",
        "which has 6442451526" },
  };
  g_autoptr (GByteArray) bytes = zeros (SIZE);

  for (guint i = 0; i < G_N_ELEMENTS (forged); i++) {
    g_autofree gchar *caps = g_strdup_printf (MEDIA ",%s", forged[i].sizes);
    expect_refusal (caps, bytes, forged[i].part);
  }
}
GST_END_TEST;

/* Results that lie outside of a readback, or are none. */
GST_START_TEST (forged_results_are_refused)
{
  static const struct {
    const gchar *result;
    const gchar *part;
  } forged[] = {
    { "a u32 0", "'a u32 0', which is not NAME" },
    { "a colour 0 1", "which is not NAME" },
    { "a u32 -1 1", "which is not NAME" },
    { "a u32 4294967296 1", "which is not NAME" },
    { "a u32 0 18446744073709551617", "which is not NAME" },
    { "a u32 0 0", "'a' of 0 words" },
    { "a u64 0 1", "'a' of 1 words" },
    { "a words 0 1000000", "'a' of 1000000 words" },
    { "a u32 1000000 1", "at observable 1000000" },
    { "a words 4294967295 2", "at observable 4294967295" },
    { "a words 1 4294967295", "of 4294967295 words" },
    { "A!b u32 0 1", "'A!b'" },
  };
  g_autoptr (GByteArray) bytes = zeros (SIZE);

  for (guint i = 0; i < G_N_ELEMENTS (forged); i++) {
    g_autofree gchar *caps = g_strdup_printf (GOOD ",results=(string)< \"%s\" >", forged[i].result);
    expect_refusal (caps, bytes, forged[i].part);
  }
}
GST_END_TEST;

/* Results that read the same words again and again, more than a control part has. */
GST_START_TEST (results_are_no_more_than_a_readback_has)
{
  enum { WORDS = 32768 }; /* of a result: two have as many as a control part at most */
  gsize control = 648 + 4 * WORDS;
  g_autoptr (GByteArray) bytes = zeros ((guint)control + 64);
  g_autoptr (GString) caps = g_string_new (NULL);

  g_string_printf (caps,
      MEDIA ",control-size=%u,ring-size=64,debug-log-size=0,io-queue-size=0,"
            "has-sequence=false,results=(string)< \"a0 words 0 %u\"",
      (guint)control, WORDS);
  for (guint i = 1; i < 40; i++)
    g_string_append_printf (caps, ", \"a%u words 0 %u\"", i, WORDS);
  g_string_append (caps, " >");
  expect_refusal (caps->str, bytes, "No readback has the result 'a");
}
GST_END_TEST;

/* ---- records ------------------------------------------------------------------------------- */

static void
add_number (GByteArray *file, guint64 number)
{
  guint8 bytes[8];

  GST_WRITE_UINT64_LE (bytes, number);
  g_byte_array_append (file, bytes, 8);
}

static void
add_head (GByteArray *file, const gchar *kind, guint32 size, guint64 pts, guint64 duration,
    guint64 caps_at)
{
  guint8 head[16] = { 0x89, 'V', 'Y', 'R' };

  memcpy (head + 4, kind, 4);
  GST_WRITE_UINT32_LE (head + 8, size);
  g_byte_array_append (file, head, sizeof head);
  add_number (file, pts);
  add_number (file, duration);
  add_number (file, ANY);
  add_number (file, caps_at);
}

/* Returns the place of the record. */
static guint64
add_caps (GByteArray *file)
{
  guint64 at = file->len;

  add_head (file, "CAPS", strlen (GOOD), ANY, ANY, 0);
  g_byte_array_append (file, (const guint8 *)GOOD, strlen (GOOD));
  return at;
}

static guint64
add_readback (GByteArray *file, guint64 pts, guint64 duration, guint64 caps_at)
{
  static const guint8 nothing[SIZE];
  guint64 at = file->len;

  add_head (file, "DATA", SIZE, pts, duration, caps_at);
  g_byte_array_append (file, nothing, SIZE);
  return at;
}

/* Nobody waits for a record that is longer than any, has no bytes, or is of no kind: the next one
 * is found. */
GST_START_TEST (a_forged_head_is_passed_over)
{
  static const struct {
    const gchar *kind;
    guint32 size;
  } forged[] = {
    { "CAPS", MIB + 1 },
    { "CAPS", G_MAXUINT32 },
    { "DATA", 128 * MIB + 1 },
    { "DATA", G_MAXUINT32 },
    { "DATA", 0 },
    { "INDX", 1024u * MIB + 1 },
    { "INDX", G_MAXUINT32 },
    { "JUNK", 16 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (forged); i++) {
    g_autoptr (GByteArray) file = g_byte_array_new ();
    gchar *error;
    add_head (file, forged[i].kind, forged[i].size, ANY, ANY, 0);
    guint64 caps = add_caps (file);
    add_readback (file, 0, GST_SECOND, caps);
    guint n = push_bytes (FILE_CAPS, file, &error);
    fail_unless (error == NULL, "%s", error);
    fail_unless (n == 1, "%s of %u bytes", forged[i].kind, forged[i].size);
  }
}
GST_END_TEST;

/* A readback of other sizes than its caps, and one whose caps are no record of caps. */
GST_START_TEST (a_forged_readback_is_refused)
{
  g_autoptr (GByteArray) shorter = g_byte_array_new ();
  g_autoptr (GByteArray) stray = g_byte_array_new ();
  g_autoptr (GByteArray) text = g_byte_array_new ();

  guint64 caps = add_caps (shorter);
  add_head (shorter, "DATA", 4, 0, ANY, caps);
  add_number (shorter, 0);
  expect_refusal (FILE_CAPS, shorter, "A buffer of 4 bytes");
  add_caps (stray);
  add_readback (stray, 0, ANY, G_MAXUINT64);
  expect_refusal (FILE_CAPS, stray, "The caps at 18446744073709551615");
  add_head (text, "CAPS", 8, ANY, ANY, 0);
  add_number (text, G_GUINT64_CONSTANT (0x7878007878787878)); /* a 0 among letters */
  add_readback (text, 0, ANY, 0);
  expect_refusal (FILE_CAPS, text, "The caps are not those of readbacks");
}
GST_END_TEST;

static guint n_entries; /* that the parser has given its base class */

/* The test links this function in the place of GStreamer's. */
gboolean
gst_base_parse_add_index_entry (
    GstBaseParse *parse, guint64 offset, GstClockTime time, gboolean key, gboolean force)
{
  gboolean (*real) (GstBaseParse *, guint64, GstClockTime, gboolean, gboolean)
      = dlsym (dlopen ("libgstbase-1.0.so.0", RTLD_LAZY), "gst_base_parse_add_index_entry");

  n_entries++;
  return real (parse, offset, time, key, force);
}

/* ---- files --------------------------------------------------------------------------------- */

/* Plays a file that is pulled from, and from @seek on, in ns, if that is not ANY. */
static guint
play_file (const GByteArray *file, guint64 seek, gchar **error)
{
  g_autofree gchar *path = NULL;
  gint descriptor = g_file_open_tmp ("vyre-XXXXXX", &path, NULL);

  fail_unless (descriptor >= 0);
  g_close (descriptor, NULL);
  fail_unless (g_file_set_contents (path, (const gchar *)file->data, file->len, NULL));
  g_autofree gchar *text
      = g_strdup_printf ("filesrc location=%s ! vyrereadbackparse ! fakesink sync=false", path);
  g_autoptr (GstElement) pipeline = gst_parse_launch (text, NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  if (seek != ANY) {
    gst_element_set_state (pipeline, GST_STATE_PAUSED);
    gst_element_get_state (pipeline, NULL, NULL, PATIENCE * GST_SECOND);
    gst_element_seek_simple (
        pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, (gint64)seek);
  }
  play (pipeline);
  guint n = wait_for_end (bus, error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_unlink (path);
  return n;
}

/* An index as its record and its end have it. Places are distances from those of the index. */
typedef struct {
  guint32 size; /* 0: that of what is there */
  guint n;      /* entries, of the one readback */
  guint64 pts, duration;
  guint64 entry; /* the place of each entry; 0: that of the readback */
  guint64 place; /* that the end has; 0: that of the index */
} Index;

static GByteArray *
make_file (const Index *index)
{
  GByteArray *file = g_byte_array_new ();
  guint64 caps = add_caps (file);
  guint64 readback = add_readback (file, index->pts, index->duration, caps);
  guint64 at = file->len;

  add_head (file, "INDX", index->size > 0 ? index->size : 16 * (index->n + 1), ANY, ANY, 0);
  for (guint i = 0; i < index->n; i++) {
    add_number (file, index->pts);
    add_number (file, index->entry > 0 ? index->entry : readback);
  }
  add_number (file, index->place > 0 ? index->place : at);
  g_byte_array_append (file, (const guint8 *)"VYREINDX", 8);
  return file;
}

static const Index indices[] = {
  { .n = 1 },
  /* the end leads nowhere, or to what is no index */
  { .n = 1, .place = 1 },
  { .n = 1, .place = G_MAXUINT64 },
  { .n = 1, .place = G_MAXUINT64 - HEAD + 1 },
  { .n = 1, .place = G_MAXINT64 },
  /* the record is longer or shorter than what is there */
  { .n = 1, .size = 1024u * MIB },
  { .n = 1, .size = 1 },
  { .n = 0, .size = 8 },
  /* entries lead nowhere */
  { .n = 1, .entry = G_MAXUINT64 },
  { .n = 1, .entry = G_MAXUINT64 - HEAD + 1 },
  { .n = 1, .entry = G_MAXINT64 },
  { .n = 1, .entry = 1 },
  /* times have no room */
  { .n = 1, .pts = G_MAXUINT64 - 2, .duration = 10 },
  { .n = 1, .pts = G_MAXINT64 - 2, .duration = 10 },
  { .n = 1, .pts = ANY, .duration = ANY },
};

/* The readback is there whatever the index says of it. */
GST_START_TEST (a_forged_index_hides_nothing)
{
  const Index *index = &indices[__i__];
  g_autoptr (GByteArray) file = make_file (index);
  g_autofree gchar *error = NULL;

  fail_unless_equals_int (play_file (file, ANY, &error), 1);
  fail_unless (error == NULL, "%s", error);
}
GST_END_TEST;

/* A seek by a forged index ends, too. */
GST_START_TEST (a_seek_by_a_forged_index_ends)
{
  g_autoptr (GByteArray) file = make_file (&indices[__i__]);
  g_autofree gchar *error = NULL;

  play_file (file, 0, &error);
  g_clear_pointer (&error, g_free);
  play_file (file, GST_SECOND / 2, &error);
}
GST_END_TEST;

/* An index of 3 MB is not kept whole. */
GST_START_TEST (a_long_index_is_thinned_out)
{
  static const Index index = { .n = 200000, .duration = GST_SECOND };
  g_autoptr (GByteArray) file = make_file (&index);
  g_autofree gchar *error = NULL;

  n_entries = 0;
  fail_unless_equals_int (play_file (file, ANY, &error), 1);
  fail_unless (error == NULL, "%s", error);
  fail_unless (n_entries > 0);
  fail_unless (n_entries <= 65536, "%u entries are kept", n_entries);
}
GST_END_TEST;

/* No more than 64 caps are kept of a stream. A file has them all. */
GST_START_TEST (forged_caps_do_not_pile_up)
{
  g_autoptr (GByteArray) file = g_byte_array_new ();
  gchar *error;

  for (guint i = 0; i < 100; i++)
    add_caps (file);
  add_readback (file, 0, GST_SECOND, 0);
  expect_refusal (FILE_CAPS, file, "The caps at 0, which a readback refers to, are not there");
  fail_unless_equals_int (play_file (file, ANY, &error), 1);
  fail_unless (error == NULL, "%s", error);
}
GST_END_TEST;

/* A name stays in memory for ever, as a field of a structure: no sender has as many as it likes.
 * The last test of its process, in which new names are refused from here on. */
GST_START_TEST (forged_names_do_not_pile_up)
{
  g_autoptr (GByteArray) readback = g_byte_array_new_take (g_malloc0 (SIZE), SIZE);
  g_autofree gchar *tail = g_strnfill (MIB / 8, 'n'), *error = NULL;
  guint n = 0;

  for (; n < 40 && !error; n++) {
    g_autofree gchar *caps
        = g_strdup_printf (GOOD ",results=<\"name-%u-%s u32 0 1 %s%u\">", n, tail, tail, n);
    push_bytes (caps, readback, &error);
  }
  fail_unless (n > 30 && error, "%u names are taken: %.200s", n, error);
  fail_unless (strstr (error, "names in caps have taken 4 MiB") && strstr (error, "Fix: "));
  g_clear_pointer (&error, g_free);
  g_autofree gchar *known = g_strdup_printf (GOOD ",results=<\"name-0-%s u32 0 1\">", tail);
  fail_unless_equals_int (push_bytes (known, readback, &error), 1);
  fail_unless (error == NULL, "%s", error);
}
GST_END_TEST;

static Suite *
forged_readbacks_suite (void)
{
  Suite *s = suite_create ("forged-readbacks");
  TCase *tc = tcase_create ("forged-readbacks");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, PATIENCE * 3);
  tcase_add_test (tc, forged_sizes_are_refused);
  tcase_add_test (tc, forged_results_are_refused);
  tcase_add_test (tc, results_are_no_more_than_a_readback_has);
  tcase_add_test (tc, a_forged_head_is_passed_over);
  tcase_add_test (tc, a_forged_readback_is_refused);
  tcase_add_loop_test (tc, a_forged_index_hides_nothing, 0, G_N_ELEMENTS (indices));
  tcase_add_loop_test (tc, a_seek_by_a_forged_index_ends, 0, G_N_ELEMENTS (indices));
  tcase_add_test (tc, a_long_index_is_thinned_out);
  tcase_add_test (tc, forged_caps_do_not_pile_up);
  tcase_add_test (tc, forged_names_do_not_pile_up);
  return s;
}

GST_CHECK_MAIN (forged_readbacks);
