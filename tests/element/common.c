/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common.h"

#include <stdlib.h>

#include <string.h>

/* Holds the kernel open between the tests of a process. */
static GstElement *kernel_holder;

static void
drop_kernel_holder (void)
{
  gst_element_set_state (kernel_holder, GST_STATE_NULL);
  gst_object_unref (kernel_holder);
}

static void
set_from_environment (GstElement *element, const gchar *property, const gchar *variable)
{
  const gchar *value = g_getenv (variable);

  if (value && *value)
    gst_util_set_object_arg (G_OBJECT (element), property, value);
}

/* Properties that the set-up asks for. */
static void
set_up (GstElement *element)
{
  set_from_environment (element, "residency", "VYRE_TEST_RESIDENCY");
  set_from_environment (element, "placement", "VYRE_TEST_PLACEMENT");
  set_from_environment (element, "max-batch-time", "VYRE_TEST_BATCH_TIME");
}

/* Where tests share a process (CK_FORK=no), they share a kernel: some drivers
 * take many seconds to compile it. */
static void
keep_kernel (void)
{
  if (kernel_holder || g_strcmp0 (g_getenv ("CK_FORK"), "no") != 0)
    return;
  kernel_holder = gst_element_factory_make ("vyrefilter", NULL);
  set_up (kernel_holder);
  gst_element_set_state (kernel_holder, GST_STATE_READY);
  atexit (drop_kernel_holder); /* before the driver's own handlers, which came with READY */
}

/* A filter in NULL, as the set-up asks for. */
GstElement *
filter_make (const gchar *program)
{
  GstElement *element = gst_element_factory_make ("vyrefilter", NULL);

  fail_unless (element != NULL, "vyrefilter is not registered");
  keep_kernel ();
  set_up (element);
  if (program)
    g_object_set (element, "program", program, NULL);
  return element;
}

/* Where the tests run under a restriction the bus is told of it when a filter opens the device,
 * which few tests are about: they see the other messages, and filter_start() that this one came. */
static GstBusSyncReply
take_restriction (GstBus *bus, GstMessage *message, gpointer restriction)
{
  gint *n_taken = g_object_get_data (G_OBJECT (bus), "restrictions");
  GError *error = NULL;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_WARNING)
    return GST_BUS_PASS;
  gst_message_parse_warning (message, &error, NULL);
  gboolean taken = g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED)
                   && strstr (error->message, g_str_equal (restriction, "seccomp")
                                                  ? "kernel.io_uring_disabled=0"
                                                  : "raise RLIMIT_MEMLOCK");
  g_error_free (error);
  if (!taken)
    return GST_BUS_PASS;
  g_atomic_int_inc (n_taken);
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static void
expect_restriction (GstBus *bus)
{
  gpointer restriction = (gpointer)g_getenv ("VYRE_TEST_RESTRICTION");

  if (!restriction)
    return;
  g_object_set_data_full (G_OBJECT (bus), "restrictions", g_new0 (gint, 1), g_free);
  gst_bus_set_sync_handler (bus, take_restriction, restriction, NULL);
}

static void
check_restriction (GstHarness *h)
{
  GstBus *bus = gst_element_get_bus (h->element);
  gint *n_taken = g_object_get_data (G_OBJECT (bus), "restrictions");

  fail_unless (!n_taken || g_atomic_int_get (n_taken) > 0, "nobody was told of the restriction");
  gst_object_unref (bus);
}

/* Takes @element and sets it to PLAYING in a harness, as filter_new() does. */
GstHarness *
filter_wrap (GstElement *element)
{
  GstBus *bus = gst_bus_new ();

  expect_restriction (bus);
  gst_element_set_bus (element, bus);
  gst_object_unref (bus);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  return h;
}

/* A filter in PLAYING; stream-start was sent, nothing else. */
GstHarness *
filter_new (const gchar *program)
{
  return filter_wrap (filter_make (program));
}

GstHarness *
filter_new_with (const gchar *program, const gchar *property, ...)
{
  GstElement *element = filter_make (program);
  va_list list;

  va_start (list, property);
  g_object_set_valist (G_OBJECT (element), property, list);
  va_end (list);
  return filter_wrap (element);
}

void
filter_push_segment (GstHarness *h)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  fail_unless (gst_harness_push_event (h, gst_event_new_segment (&segment)));
}

/* Sends caps, if any, and a segment. */
void
filter_start (GstHarness *h, const gchar *caps)
{
  check_restriction (h);
  if (caps)
    gst_harness_set_src_caps_str (h, caps);
  else
    filter_push_segment (h);
}

void
filter_push (GstHarness *h, GstBuffer *buffer)
{
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
}

void
filter_push_eos (GstHarness *h)
{
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
}

void
filter_wait_eos (GstHarness *h)
{
  GstPad *pad = h->sinkpad;

  for (guint i = 0; i < PATIENCE * 1000 && !GST_PAD_IS_EOS (pad); i++)
    g_usleep (1000);
  fail_unless (GST_PAD_IS_EOS (pad), "no EOS came");
}

void
filter_flush (GstHarness *h)
{
  fail_unless (gst_harness_push_event (h, gst_event_new_flush_start ()));
  fail_unless (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
}

void
filter_finish (GstHarness *h)
{
  GstBus *bus = gst_element_get_bus (h->element);

  gst_element_set_state (h->element, GST_STATE_NULL);
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GstBuffer *
filter_pull (GstHarness *h)
{
  GstBuffer *buffer = NULL;

  for (guint i = 0; i < PATIENCE * 4000 && !(buffer = gst_harness_try_pull (h)); i++)
    g_usleep (250);
  fail_unless (buffer != NULL, "no readback came");
  return buffer;
}

GstBuffer *
filter_run (GstHarness *h, GstBuffer *buffer)
{
  filter_push (h, buffer);
  return filter_pull (h);
}

GstPad *
filter_pad (GstHarness *h, const gchar *name)
{
  return gst_element_get_static_pad (h->element, name);
}

/* xorshift32: the same bytes on every machine. */
guint8 *
noise_new (gsize size, guint32 seed)
{
  guint8 *data = g_malloc (MAX (size, 1));
  guint32 state = seed * 2654435761u + 1;

  for (gsize i = 0; i < size; i++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    data[i] = (guint8)(state >> 11);
  }
  return data;
}

GstBuffer *
noise_buffer (gsize size, guint32 seed)
{
  guint8 *data = noise_new (size, seed);
  GstBuffer *buffer = buffer_of (data, size);

  g_free (data);
  return buffer;
}

GstBuffer *
buffer_of (gconstpointer data, gsize size)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);

  gst_buffer_fill (buffer, 0, data, size);
  return buffer;
}

/* A buffer that says which one it is, in its offset and its timestamp. */
GstBuffer *
numbered_buffer (guint64 number, gsize size)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);

  gst_buffer_memset (buffer, 0, (guint8)number, size);
  GST_BUFFER_OFFSET (buffer) = number;
  GST_BUFFER_PTS (buffer) = number * GST_MSECOND;
  return buffer;
}

guint32
readback_word (GstBuffer *readback, guint part, guint word)
{
  guint32 value;

  fail_unless_equals_int (gst_buffer_n_memory (readback), 4);
  GstMemory *memory = gst_buffer_peek_memory (readback, part);
  GstMapInfo map;
  fail_unless (gst_memory_map (memory, &map, GST_MAP_READ));
  fail_unless (4 * (gsize)word + 4 <= map.size, "word %u is outside of part %u", word, part);
  memcpy (&value, map.data + 4 * (gsize)word, 4);
  gst_memory_unmap (memory, &map);
  return GUINT32_FROM_LE (value);
}

guint32
readback_observable (GstBuffer *readback, guint observable)
{
  return readback_word (readback, 0, VYRE_CONTROL_OBSERVABLES + observable);
}

GstCaps *
readback_caps (GstHarness *h)
{
  GstCaps *caps = gst_pad_get_current_caps (h->sinkpad);

  fail_unless (caps != NULL, "readbacks have no caps");
  return caps;
}

/* ---- messages ---------------------------------------------------------- */

GstMessage *
bus_try (GstHarness *h, GstMessageType type)
{
  GstBus *bus = gst_element_get_bus (h->element);
  GstMessage *message = gst_bus_pop_filtered (bus, type);

  gst_object_unref (bus);
  return message;
}

/* The next message of @type; those before it are dropped. */
GstMessage *
bus_wait (GstHarness *h, GstMessageType type)
{
  GstBus *bus = gst_element_get_bus (h->element);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, PATIENCE * GST_SECOND, type);

  gst_object_unref (bus);
  fail_unless (message != NULL, "no %s message came", gst_message_type_get_name (type));
  return message;
}

GstMessage *
bus_wait_element (GstHarness *h, const gchar *name)
{
  for (;;) {
    GstMessage *message = bus_wait (h, GST_MESSAGE_ELEMENT);
    if (gst_message_has_name (message, name))
      return message;
    gst_message_unref (message);
  }
}

/* Takes every message from the bus. Returns the number of element messages with this name, or with
 * any for NULL. */
guint
bus_count (GstHarness *h, const gchar *name)
{
  GstMessage *message;
  guint n = 0;

  while ((message = bus_try (h, GST_MESSAGE_ELEMENT))) {
    n += !name || gst_message_has_name (message, name);
    gst_message_unref (message);
  }
  return n;
}

guint
bus_count_type (GstHarness *h, GstMessageType type)
{
  GstMessage *message;
  guint n = 0;

  while ((message = bus_try (h, type))) {
    n++;
    gst_message_unref (message);
  }
  return n;
}

/* Expects one error, with @part and a remedy in its text. */
void
bus_assert_error (GstHarness *h, const gchar *part)
{
  GstMessage *message = bus_wait (h, GST_MESSAGE_ERROR);
  GError *error = NULL;

  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, part) != NULL, "'%s' is not in '%s'", part, error->message);
  fail_unless (strstr (error->message, "Fix: ") != NULL, "no remedy in '%s'", error->message);
  g_error_free (error);
  gst_message_unref (message);
  fail_unless_equals_int (bus_count_type (h, GST_MESSAGE_ERROR), 0);
}

/* ---- counters ---------------------------------------------------------- */

GstStructure *
stats_of (GstElement *element)
{
  GstStructure *stats = NULL;

  g_object_get (element, "stats", &stats, NULL);
  fail_unless (stats != NULL);
  return stats;
}

guint64
field_u64 (const GstStructure *structure, const gchar *name)
{
  guint64 value = 0;

  fail_unless (gst_structure_get_uint64 (structure, name, &value), "%s has no guint64 '%s'",
      gst_structure_get_name (structure), name);
  return value;
}

/* TRUE when the counter @name is the string @value. */
gboolean
stat_is (GstElement *element, const gchar *name, const gchar *value)
{
  GstStructure *stats = stats_of (element);
  const GValue *found = gst_structure_get_value (stats, name);

  fail_unless (found != NULL, "there is no %s", name);
  g_autofree gchar *text
      = G_VALUE_HOLDS_STRING (found) ? g_value_dup_string (found) : gst_value_serialize (found);
  gst_structure_free (stats);
  return g_strcmp0 (text, value) == 0;
}

/* TRUE when the kernel runs on the processor, where large batches take long. */
gboolean
is_on_cpu (GstElement *element)
{
  GstStructure *stats = stats_of (element);
  const gchar *device = gst_structure_get_string (stats, "device");
  gboolean cpu = g_str_has_prefix (device, "llvmpipe") || g_str_has_prefix (device, "SwiftShader");

  gst_structure_free (stats);
  return cpu;
}

guint64
stat_of (GstElement *element, const gchar *name)
{
  GstStructure *stats = stats_of (element);
  guint64 value = field_u64 (stats, name);

  gst_structure_free (stats);
  return value;
}

guint64
stat_nested (GstElement *element, const gchar *structure, const gchar *name)
{
  GstStructure *stats = stats_of (element), *nested = NULL;

  fail_unless (gst_structure_get (stats, structure, GST_TYPE_STRUCTURE, &nested, NULL));
  guint64 value = field_u64 (nested, name);
  gst_structure_free (nested);
  gst_structure_free (stats);
  return value;
}

void
stat_wait (GstElement *element, const gchar *name, guint64 least)
{
  guint64 value = 0;

  for (guint i = 0; i < PATIENCE * 500; i++) {
    if ((value = stat_of (element, name)) >= least)
      return;
    g_usleep (2000);
  }
  fail ("%s is %" G_GUINT64_FORMAT ", not %" G_GUINT64_FORMAT, name, value, least);
}

/* Waits until the kernel has completed every batch of @element, collected or not. */
void
stat_wait_quiet (GstElement *element)
{
  for (guint i = 0; i < PATIENCE * 500; i++) {
    if (stat_nested (element, "tenant", "outstanding") == 0)
      return;
    g_usleep (2000);
  }
  fail ("batches are outstanding");
}
