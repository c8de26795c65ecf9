/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The cost of tickets bounds the loops of the kernel, on a device that ends every loop after so
 * many iterations. It says nothing about threads or memory of the host.
 */
#include "kernel-common.h"
#include "kernel/extras.h"
#include "kernel/state.h"

/* Builds extras, whose code every ticket runs through, masked off, on a CPU. A CPU's driver takes
 * most of a minute for the code of devices with memory of their own, which goes without. */
static void
build_extras (TestKernel *t, guint32 extras)
{
  GError *error = NULL;

  if (t->kernel->traits->in_device_memory)
    return;
  g_mutex_lock (&t->kernel->lock);
  vyre_extras_wait (t->kernel, extras, g_get_monotonic_time () + TEST_COMPILE_DEADLINE, &error);
  g_mutex_unlock (&t->kernel->lock);
  g_assert_no_error (error);
}

/* A batch of @n equal statements over a payload of @size bytes, by a kernel with @extras. */
typedef struct {
  const char *statement;
  guint n;
  gsize size;
  guint32 extras;
} Costly;

/* The iterations that the first @n tickets of a plan are planned to take. */
static guint64
planned_cost (const TestKernel *t, const VyrePlan *plan, guint32 n)
{
  guint copy = t->kernel->traits->in_device_memory ? plan->copy_cost : 0;
  guint64 planned = 0;

  for (guint32 i = 0; i < n; i++)
    planned += g_array_index (plan->tickets, VyreTicket, i).words[VYRE_TICKET_COST] + copy + 1;
  return planned;
}

/* Lets one launch of a single workgroup run into the loop limit of the device, and compares the
 * tickets that it ended with their planned cost. */
static void
check_cost (const Costly *costly, const char *text)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();
  VyrePayload payload = { 0 };
  GError *error = NULL;

  params.residency = VYRE_RESIDENCY_DISPATCH;
  params.max_batch_time = G_MAXUINT64; /* publishes all of it at once */
  test_kernel_open (&t, &params);
  build_extras (&t, costly->extras);
  t.kernel->n_groups = 1;
  t.kernel->budget = G_MAXINT32;
  g_autoptr (VyrePlan) plan = test_plan (&t, text, costly->size, 0, 1100);
  const guint32 *state = (const guint32 *)t.kernel->state.data;
  guint32 first = state[VYRE_STATE_HEAD];
  gint64 end = g_get_monotonic_time () + TEST_COMPILE_DEADLINE;
  VyreBatch *batch = vyre_megakernel_publish (t.kernel, plan, 0, &payload, end, &error);
  if (t.kernel->traits->in_device_memory
      && g_error_matches (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE)) {
    g_clear_error (&error); /* such long readbacks are not copied out */
    test_kernel_close (&t);
    return;
  }
  g_assert_no_error (error);
  gboolean completed = vyre_batch_wait (batch, end, &error);
  guint32 taken = state[VYRE_STATE_HEAD] - first;
  guint64 planned = planned_cost (&t, plan, taken);
  g_test_message ("%.60s…: %u of %u tickets planned at %" G_GUINT64_FORMAT " iterations%s", text,
      taken, plan->tickets->len, planned, completed ? ", within the limit" : "");
  g_assert_cmpuint (planned, >=, completed ? 0 : VYRE_LOOP_LIMIT);
  if (!completed) /* the host notices a launch that was cut short */
    g_assert_error (error, VYRE_ERROR, VYRE_ERROR_STUCK);
  else /* a batch that ended whole must have been planned beyond the limit */
    g_assert_cmpuint (planned, >, VYRE_LOOP_LIMIT);
  g_clear_error (&error);
  vyre_batch_free (batch);
  test_kernel_close (&t);
}

static char *
repeat (const char *statement, guint n)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s\n", statement);
  return g_string_free (text, FALSE);
}

static const Costly costly[] = {
  { "nop", 60000, 0 },
  { "memcpy 0, 170, 60", 20000, 0 },
  { "memcpy 0, 170, 150", 1000, 0 },
  { "packed_slot { memcpy 0, 170, 150 | nop | nop | memcpy 0, 170, 9 }", 600, 0 },
  { "packed_slot { nop | nop | nop | nop | nop | nop | nop | nop | nop | nop | nop | nop }", 10000,
      0 },
  { "printf 1", 20000, 0 },
  { "u8_stats region(0, 1, 1, 1) -> 1", 900, 4096 },
  { "u8_below bytes(5, 4000), 9 -> 1", 900, 4096 },
  { "crc32 bytes(3, 2000) -> 1", 900, 4096 },
  { "u8_stats payload -> 1", 8, 4 << 20 },
  { "u8_stats region(1, 70, 40000, 101) -> 1", 4, 4 << 20 },
  { "crc32 payload -> 1", 1, 40 << 20 },
  { "crc32 bytes(3, 8191) -> 1", 3000, 9000, VYRE_EXTRAS }, /* a length with many ones is dear */
  { "crc32c bytes(3, 8191) -> 1", 3000, 9000, VYRE_EXTRAS },
  { "u8_histogram payload -> 0", 1, 8 << 20 },
  { "u8_histogram region(1, 70, 4000, 101) -> 0", 4, 1 << 20 },
  { "sample_stats samples(1, 8000000, 1, 0, 0x100103) -> 1", 1, 8 << 20 },
  { "sample_below samples(1, 70, 40000, 101, 0x200202), 9 -> 1", 4, 4 << 20 },
  { "sample_histogram samples(1, 2, 1, 2, 0x140202) -> 0", 300, 4096 },
  { "audio_stats audio(1, 8000000, 0x2010001) -> 1", 1, 8 << 20 },
  { "audio_stats audio(1, 3000, 0x8240005) -> 1", 300, 4096, VYRE_EXTRAS },
  { "sample_difference bytes(5, 12000000), bytes(165, 12000000), 4 -> 1", 1, 12 << 20,
      VYRE_EXTRAS },
  { "sample_difference samples(1, 8000000, 1, 0, 0x100103), samples(3, 8000000, 1, 0, 0x100103), 4 "
    "-> 1",
      1, 8 << 20 },
  { "sample_columns samples(1, 1024, 2, 1030, 0x100101), 9 -> 1", 300, 4096 },
  { "sample_grid samples(1, 70, 20, 101, 0x100101), 30, 12 -> 1", 300, 4096 },
  { "sample_outliers samples(1, 4000000, 2, 4000000, 0x100101), 4 -> 1", 1, 8 << 20 },
  { "sample_ssim samples(1, 1000000, 8, 1000001, 0x100101), "
    "samples(3, 1000000, 8, 1000001, 0x100101) -> 1",
      1, 8 << 20 },
  { "sample_joint samples(1, 4000000, 2, 4000000, 0x100101), "
    "samples(3, 4000000, 2, 4000000, 0x100101) -> 1",
      1, 8 << 20 },
  { "sample_range samples(1, 70, 20, 101, 0x100101), samples(0, 35, 10, 50, 0x100101), "
    "samples(9, 35, 10, 50, 0x100101) -> 1",
      300, 4096 },
};

static void
test_costs_are_bounds (void)
{
  TestKernel t;
  VyreMegakernelParams params = test_params ();

  params.residency = VYRE_RESIDENCY_AUTO;
  test_kernel_open (&t, &params);
  gboolean limited = strstr (vyre_megakernel_get_verdict (t.kernel), "at most") != NULL;
  test_kernel_close (&t);
  if (!limited) {
    g_test_skip ("loops have no limit here");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (costly); i++) {
    g_autofree char *text = repeat (costly[i].statement, costly[i].n);
    check_cost (&costly[i], text);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/costs/are-bounds", test_costs_are_bounds);
  return g_test_run ();
}
