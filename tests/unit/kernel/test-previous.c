/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Regions of the previous payload.
 */
#include "older-common.h"

/* Observables: the tag, two checksums, statistics of a rectangle, samples below 100, two
 * differences. */
#define NOW 1
#define BEFORE 2
#define STATS 3
#define BELOW 10
#define AFTER 11
#define UNTIL 19

static const char program_text[] = "crc32 payload -> now; crc32 previous(payload) -> before\n"
                                   "u8_stats previous(region(5, 30, 20, 40)) -> stats\n"
                                   "sample_below previous(bytes(3, 1000)), 100 -> below\n"
                                   "sample_difference bytes(1, 4000), previous(bytes(2, 4000)), 9 "
                                   "-> after\n"
                                   "sample_difference previous(bytes(7, 999)), bytes(0, 999), 200 "
                                   "-> until";

/* With @copied, has a copy engine move every payload. FALSE: there is none. */
static gboolean
stream_begin (Stream *s, gboolean copied)
{
  stream_open (s, program_text);
  if (copied && !s->t.kernel->copy_engine.device) {
    g_test_skip ("the device has no copy engine");
    return FALSE;
  }
  if (copied)
    s->t.kernel->copy_threshold = s->t.kernel->train_threshold = 1;
  return TRUE;
}

/* @before: the previous payload, or NULL for none. */
static void
check_before (VyreBatch *batch, const guint8 *before, gsize size)
{
  guint32 crc = before ? (guint32)crc32 (0, before, (uInt)size) : 0;
  guint32 count = 0, sum = 0, below = 0;

  for (guint i = 0; before && i < 600; i++, count++)
    sum += before[5 + i / 30 * 40 + i % 30];
  for (guint i = 3; before && i < 1003; i++)
    below += before[i] < 100;
  g_assert_cmpint (vyre_batch_has_older (batch, VYRE_FROM_PREVIOUS), ==, before != NULL);
  g_assert_cmpuint (observable (batch, BEFORE), ==, crc);
  g_assert_cmpuint (observable (batch, STATS), ==, count);
  g_assert_cmpuint (observable (batch, STATS + 1), <=, 255);
  g_assert_cmpuint (observable (batch, STATS + 3), ==, sum);
  g_assert_cmpuint (observable (batch, BELOW), ==, below);
}

static void
check_differences (VyreBatch *batch, const guint8 *now, const guint8 *before)
{
  guint n = before ? 1 : 0; /* without a previous payload there is nothing to compare */

  check_difference (batch, AFTER, now + 1, n ? before + 2 : NULL, n * 4000, 9);
  check_difference (batch, UNTIL, now, n ? before + 7 : NULL, n * 999, 200);
}

/* Compares a batch with what it should have of its payload and that of batch number @number - 1. */
static void
stream_finish (VyreBatch *batch, guint number, gboolean is_first)
{
  guint8 now[MOST_BYTES], before[MOST_BYTES];
  gboolean has = !is_first && size_of (number) == size_of (number - 1);

  test_wait_through (batch);
  fill (now, number);
  if (has)
    fill (before, number - 1);
  g_assert_cmpuint (observable (batch, NOW), ==, crc32 (0, now, (uInt)size_of (number)));
  check_before (batch, has ? before : NULL, size_of (number));
  check_differences (batch, now, has ? before : NULL);
  vyre_batch_free (batch);
}

/* Publishes batches, so many of them ahead, and checks all. Returns how many payloads were copied
 * before the turn of their batch. */
static guint
stream_run (Stream *s, guint depth)
{
  VyreBatch *batches[MOST_IN_FLIGHT];
  guint n_ahead = 0;

  for (guint i = 0; i < BATCHES + depth; i++) {
    guint place = i % depth;
    if (i >= depth)
      stream_finish (batches[place], i - depth, i == depth);
    if (i < BATCHES) {
      batches[place] = stream_publish (s, i);
      n_ahead += batches[place]->ahead;
    }
  }
  return n_ahead;
}

/* The previous payload is that of the batch before, however many are published ahead. */
static void
test_in_flight (gconstpointer copied)
{
  static const guint depths[] = { 1, 4, 64 };
  Stream s;

  if (stream_begin (&s, copied != NULL)) {
    for (guint d = 0; d < G_N_ELEMENTS (depths); d++) {
      guint n_ahead = stream_run (&s, depths[d]);
      g_assert_cmpint (n_ahead > 0, ==, copied && depths[d] > 1);
      stream_restart (&s);
    }
  }
  stream_close (&s);
}

/* Of a batch that waits for the one before, the checksum of its own payload is taken meanwhile. */
static void
test_early (gconstpointer copied)
{
  Stream s;

  runs_early = TRUE;
  if (stream_begin (&s, copied != NULL)) {
    guint64 before = count_early_runs ();
    g_assert_cmpuint (s.plans[0]->early_tickets, >, 0);
    g_assert_cmpuint (s.plans[0]->early_tickets, <, s.plans[0]->tickets->len);
    stream_run (&s, 1);
    g_assert_cmpuint (count_early_runs (), ==, before); /* no batch waits */
    stream_restart (&s);
    for (guint run = 0; run < 10 && (run < 2 || count_early_runs () == before); run++) {
      stream_run (&s, run % 2 == 0 ? 4 : 64);
      stream_restart (&s);
    }
    g_assert_cmpuint (count_early_runs (), >, before);
  }
  stream_close (&s);
  runs_early = FALSE;
}

/* The difference of two rectangles that lie apart in their payloads. */
static void
check_rectangles (VyreBatch *batch, guint index, const guint8 *data, const guint8 *before)
{
  guint32 sum = 0, above = 0, rows = before ? 1500 : 0;

  for (guint i = 0; i < rows * 1999; i++) {
    guint row = i / 1999, column = i % 1999;
    guint apart = (guint)ABS (data[1 + row * 2000 + column] - before[row * 2001 + column]);
    sum += apart;
    above += apart > 99;
  }
  g_assert_cmpuint (observable (batch, index), ==, rows * 1999);
  g_assert_cmpuint (observable (batch, index + VYRE_U8_STATS_SUM), ==, sum);
  g_assert_cmpuint (observable (batch, index + VYRE_DIFFERENCE_ABOVE), ==, above);
}

/* A region of many tiles, and a payload that goes by copy engine where there is one. */
static void
test_large (void)
{
  const gsize size = 3 << 20;
  g_autofree guint8 *data = g_malloc (size), *before = g_malloc0 (size);
  guint32 crc = 0;
  Stream s;

  stream_open (&s, program_text);
  g_autoptr (VyrePlan) plan = test_plan (&s.t,
      "crc32 previous(payload) -> before; u8_stats previous(payload) -> stats\n"
      "keep reference when $c.sum < 0\n"
      "sample_difference region(1, 1999, 1500, 2000), reference(region(0, 1999, 1500, 2001)), 99 "
      "-> "
      "c; sample_difference region(1, 1999, 1500, 2000), previous(region(0, 1999, 1500, 2001)), 99 "
      "-> d",
      size, 0, 0);
  for (guint i = 0; i < 4; i++) {
    gsize slice;
    GError *error = NULL;
    for (gsize at = 0; at < size; at++)
      data[at] = (guint8)(at * (2 * i + 3) + (at >> 9));
    VyrePayload payload = test_stage (&s.t, data, size, 0, &slice);
    Slice *owner = g_new (Slice, 1);
    *owner = (Slice){ vyre_megakernel_get_staging (s.t.kernel), slice };
    payload.release = slice_free;
    payload.owner = owner;
    g_autoptr (VyreBatch) batch = vyre_stream_publish (
        s.stream, plan, i, &payload, g_get_monotonic_time () + TEST_DEADLINE, &error);
    g_assert_no_error (error);
    test_wait_through (batch);
    g_assert_cmpuint (observable (batch, 1), ==, crc);
    g_assert_cmpuint (observable (batch, 2), ==, i == 0 ? 0 : size);
    check_rectangles (batch, 9, data, i == 0 ? NULL : before);
    check_rectangles (batch, 17, data, i == 0 ? NULL : before);
    g_assert_cmpuint (/* twins, where there is a reference, read a rectangle once */
        vyre_batch_get_completion (batch)->payload_bytes, ==, i == 0 ? 0 : 2 * size + 1999 * 1500);
    memcpy (before, data, size);
    crc = (guint32)crc32 (0, data, (uInt)size);
  }
  stream_close (&s);
}

/* Without a stream there is none, and a stream may be told of one. */
static void
test_given (void)
{
  guint8 before[MOST_BYTES];
  GError *error = NULL;
  Stream s;

  stream_open (&s, program_text);
  VyrePayload alone = stage_owned (&s, 1), given = stage_owned (&s, 0);
  g_autoptr (VyreBatch) batch = vyre_lane_publish (
      s.lane, s.plans[0], 1, &alone, g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);
  g_assert_no_error (error);
  stream_finish (g_steal_pointer (&batch), 1, TRUE);
  fill (before, 0);
  g_assert_true (
      vyre_stream_set_older (s.stream, VYRE_FROM_PREVIOUS, &given, size_of (0), 0, &error));
  g_assert_no_error (error);
  stream_finish (stream_publish (&s, 1), 1, FALSE);
  given = stage_owned (&s, 4); /* replaces that of the batch */
  g_assert_true (
      vyre_stream_set_older (s.stream, VYRE_FROM_PREVIOUS, &given, size_of (4), 0, &error));
  stream_finish (stream_publish (&s, 5), 5, FALSE);
  stream_close (&s);
}

/* Numbers of payloads that there never are: their regions are empty, and further bits fault. */
static void
test_other_payloads (void)
{
  GError *error = NULL;
  Stream s;

  stream_open (&s, program_text);
  g_autoptr (VyrePlan) plan = test_plan (&s.t,
      "op 0x40000100, 0, 100, 1, 100, 0x30000001; op 0x40000103, 0, 100, 2, 50, 0x30000008\n"
      "op 0x40000103, 0, 100, 1, 100, 0x40000009; op 0x40000103, 0, 100, 1, 100, 0x80000009",
      MOST_BYTES, 0, 16);
  VyrePayload payload = stage_owned (&s, 0);
  VyreBatch *batch = vyre_stream_publish (
      s.stream, plan, 1, &payload, g_get_monotonic_time () + TEST_DEADLINE, &error);
  g_assert_no_error (error);
  vyre_batch_wait (batch, g_get_monotonic_time () + TEST_DEADLINE, &error);
  g_assert_no_error (error);
  g_assert_true (vyre_batch_check (batch, NULL));
  g_assert_cmpuint (vyre_batch_get_completion (batch)->faults, ==, 2);
  g_assert_cmpuint (observable (batch, 1), ==, 0);
  g_assert_cmpuint (observable (batch, 2), ==, 255);
  for (guint i = 3; i < 16; i++)
    g_assert_cmpuint (observable (batch, i), ==, 0);
  vyre_batch_free (batch);
  stream_close (&s);
}

/* Freed batches leave no payload behind, in whatever order they are freed and however far they
 * came.
 */
static void
test_freed (gconstpointer how)
{
  gboolean copied = how && g_str_has_suffix (how, "copied");
  VyreBatch *batches[10];
  Stream s;

  runs_early = how && g_str_has_prefix (how, "early");
  for (guint round = 0, n = stream_begin (&s, copied) ? 20 : 0; round < n; round++) {
    for (guint i = 0; i < G_N_ELEMENTS (batches); i++)
      batches[i] = stream_publish (&s, i);
    if (round % 2 == 0)
      test_wait_through (batches[round / 2]);
    for (guint i = 0; i < G_N_ELEMENTS (batches); i++)
      vyre_batch_free (batches[round % 4 < 2 ? i : G_N_ELEMENTS (batches) - 1 - i]);
    stream_restart (&s);
    stream_finish (stream_publish (&s, 0), 0, TRUE);
    stream_finish (stream_publish (&s, 1), 1, FALSE);
    stream_restart (&s);
  }
  stream_finish (stream_publish (&s, 0), 0, TRUE);
  stream_close (&s);
  runs_early = FALSE;
}

#define SHARE (48 << 10)

/* Streams on a kernel with payloads of its own, and room for little more than two of SHARE. */
typedef struct {
  TestKernel t;
  VyreLane *lane;
  VyreStream *streams[2];
  VyrePlan *plans[2]; /* for payloads of SHARE and of some more */
} Crowd;

static gboolean
crowd_open (Crowd *c)
{
  VyreMegakernelParams params = test_params ();

  params.placement = VYRE_PLACEMENT_BAR;
  params.staging_size = 2 * SHARE + SHARE / 2;
  test_kernel_open (&c->t, &params);
  c->lane = vyre_lane_new (c->t.kernel);
  for (guint i = 0; i < 2; i++) {
    c->streams[i] = vyre_stream_new (c->lane, NULL, 0);
    c->plans[i]
        = test_plan (&c->t, "crc32 previous(payload) -> before", SHARE + i * (SHARE / 4), 0, 0);
  }
  return vyre_megakernel_get_payloads (c->t.kernel) != NULL;
}

static void
crowd_close (Crowd *c)
{
  for (guint i = 0; i < 2; i++) {
    vyre_stream_unref (c->streams[i]);
    vyre_plan_unref (c->plans[i]);
  }
  g_assert_cmpuint (vyre_store_get_used (vyre_megakernel_get_payloads (c->t.kernel)), ==, 0);
  g_assert_cmpuint (atomic_load (&c->t.kernel->kept), ==, 0);
  vyre_lane_unref (c->lane);
  test_kernel_close (&c->t);
}

/* Runs a batch, or returns FALSE with the error of publishing. */
static gboolean
crowd_run (Crowd *c, guint stream, guint plan, GError **error)
{
  g_autofree guint8 *data = g_malloc0 (2 * SHARE);
  VyrePayload payload = { .data = data };
  g_autoptr (VyreBatch) batch = vyre_stream_publish (c->streams[stream], c->plans[plan], 1,
      &payload, g_get_monotonic_time () + TEST_DEADLINE, error);

  if (batch)
    test_wait_through (batch);
  return batch != NULL;
}

/* Payloads that two streams keep leave no room for a third: the one that comes next fails, rather
 * than wait for the other, and goes on once that has ended. */
static void
test_kept_full (void)
{
  GError *error = NULL;
  Crowd c;

  g_assert_true (crowd_open (&c));
  for (guint i = 0; i < 2; i++) {
    crowd_run (&c, i, 0, &error);
    g_assert_no_error (error);
  }
  g_assert_false (crowd_run (&c, 0, 0, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, "Fix: set staging-size=147456"));
  g_clear_error (&error);
  vyre_stream_unref (c.streams[1]);
  c.streams[1] = vyre_stream_new (c.lane, NULL, 0);
  crowd_run (&c, 0, 0, &error);
  g_assert_no_error (error);
  crowd_close (&c);
}

/* A payload of another size than the previous one has that one's room. */
static void
test_useless (void)
{
  GError *error = NULL;
  Crowd c;

  g_assert_true (crowd_open (&c));
  for (guint i = 0; i < 2; i++) {
    crowd_run (&c, i, 0, &error);
    g_assert_no_error (error);
  }
  crowd_run (&c, 1, 1, &error);
  g_assert_no_error (error);
  crowd_close (&c);
}

static void
expect_refusal (VyreStream *stream, const VyrePayload *payload)
{
  g_test_expect_message ("vyre", G_LOG_LEVEL_CRITICAL, "*vyre_stream_set_older*");
  g_assert_false (vyre_stream_set_older (stream, VYRE_FROM_PREVIOUS, payload, SHARE, 0, NULL));
  g_test_assert_expected_messages ();
}

/* A payload that the kernel cannot read is refused, and so is any while a batch is under way: it
 * may be reading what would go. */
static void
test_misuse (void)
{
  Stream s;

  stream_open (&s, program_text);
  VyrePayload payload = stage_owned (&s, 0), wrong = payload;
  wrong.offset += 4;
  expect_refusal (s.stream, &wrong);
  if (!vyre_megakernel_stores_payload (s.t.kernel, SHARE)) {
    wrong = (VyrePayload){ .data = (guint8 *)&wrong };
    expect_refusal (s.stream, &wrong);
  }
  VyreBatch batch = { 0 };
  s.stream->running = &batch;
  expect_refusal (s.stream, &payload);
  s.stream->running = NULL;
  slice_free (payload.owner);
  stream_close (&s);
}

/* Payloads that are kept leave no room for one that a stream is told of, and batches that are under
 * way only until they end. */
static void
test_given_full (void)
{
  g_autofree guint8 *data = g_malloc0 (SHARE);
  VyrePayload payload = { .data = data };
  GError *error = NULL;
  gsize slice;
  Crowd c;

  g_assert_true (crowd_open (&c));
  VyreStore *store = vyre_megakernel_get_payloads (c.t.kernel);
  g_assert_true (vyre_store_alloc (store, 2 * SHARE, 0, &slice));
  gint64 end = g_get_monotonic_time () + G_TIME_SPAN_MILLISECOND;
  g_assert_false (
      vyre_stream_set_older (c.streams[0], VYRE_FROM_PREVIOUS, &payload, SHARE, end, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_TIMEOUT);
  g_clear_error (&error);
  vyre_store_free (store, slice);
  for (guint i = 0; i < 2; i++) {
    g_assert_true (
        vyre_stream_set_older (c.streams[i], VYRE_FROM_PREVIOUS, &payload, SHARE, 0, &error));
    g_assert_no_error (error);
  }
  g_assert_false (
      vyre_stream_set_older (c.streams[0], VYRE_FROM_REFERENCE, &payload, SHARE, end, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_NO_SPACE);
  g_clear_error (&error);
  crowd_close (&c);
}

static void
stream_finish_alone (VyreBatch *batch)
{
  test_wait_through (batch);
  vyre_batch_free (batch);
}

/* An empty payload goes back at once, and none is previous behind it. */
static void
test_empty (void)
{
  GError *error = NULL;
  gint released = 0;
  Stream s;

  stream_open (&s, "crc32 previous(payload) -> before");
  g_autoptr (VyrePlan) plan = test_plan (&s.t, "crc32 previous(payload) -> before", 0, 0, 0);
  stream_finish_alone (stream_publish (&s, 0));
  VyrePayload nothing = { .release = test_count_release, .owner = &released };
  stream_finish_alone (vyre_stream_publish (
      s.stream, plan, 1, &nothing, g_get_monotonic_time () + TEST_DEADLINE, &error));
  g_assert_no_error (error);
  g_assert_cmpint (released, ==, 1);
  VyreBatch *batch = stream_publish (&s, 2);
  test_wait_through (batch);
  g_assert_false (vyre_batch_has_older (batch, VYRE_FROM_PREVIOUS));
  vyre_batch_free (batch);
  stream_close (&s);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/previous/in-flight", NULL, test_in_flight);
  g_test_add_data_func ("/previous/in-flight/copied", "", test_in_flight);
  g_test_add_data_func ("/previous/early", NULL, test_early);
  g_test_add_data_func ("/previous/early/copied", "", test_early);
  g_test_add_func ("/previous/large", test_large);
  g_test_add_func ("/previous/given", test_given);
  g_test_add_func ("/previous/other-payloads", test_other_payloads);
  g_test_add_data_func ("/previous/freed", NULL, test_freed);
  g_test_add_data_func ("/previous/freed/copied", "copied", test_freed);
  g_test_add_data_func ("/previous/freed/early", "early", test_freed);
  g_test_add_data_func ("/previous/freed/early/copied", "early, copied", test_freed);
  g_test_add_func ("/previous/kept-full", test_kept_full);
  g_test_add_func ("/previous/useless", test_useless);
  g_test_add_func ("/previous/misuse", test_misuse);
  g_test_add_func ("/previous/given-full", test_given_full);
  g_test_add_func ("/previous/empty", test_empty);
  int status = g_test_run ();
  if (shared.kernel)
    test_kernel_close (&shared);
  return status;
}
