/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Placements: each has a name and a blurb, and their traits decide which are tried on a device.
 */
#include <string.h>

#include "kernel/placement.h"
#include "kernel/reserve.h"

/* A device of a type, with @n_transfer_queues queues of copy engines. */
static VyreDevice
make_device (VkPhysicalDeviceType type, guint n_transfer_queues)
{
  return (VyreDevice){
    .properties.deviceType = type,
    .subgroup_size = 32,
    .n_transfer_queues = n_transfer_queues,
  };
}

static char *
list_names (VyrePlacement wanted, const VyreDevice *device)
{
  VyrePlacementCandidates candidates = vyre_placement_list (wanted, device);
  GString *names = g_string_new (NULL);

  for (guint i = 0; candidates.list[i] != VYRE_PLACEMENT_AUTO; i++)
    g_string_append_printf (names, "%s ", vyre_placement_name (candidates.list[i]));
  return g_string_free (names, FALSE);
}

static void
test_each_has_a_name_of_its_own (void)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  guint n = 0;

  g_assert_null (vyre_residency_name (VYRE_RESIDENCY_DISPATCH + 1));
  for (; vyre_placement_name (n); n++) {
    g_assert_true (g_hash_table_add (names, (gpointer)vyre_placement_name (n)));
    g_assert_cmpuint (strlen (vyre_placement_blurb (n)), >, 0);
  }
  g_assert_cmpuint (n, ==, VYRE_PLACEMENT_SPLIT + 1);
}

/* A number that is no placement's has no row of traits, and no kernel is made for it. */
static void
test_numbers_of_no_placement (void)
{
  static const guint numbers[] = { VYRE_PLACEMENT_SPLIT + 1, 1000, G_MAXINT, G_MAXUINT };
  VyreDevice device = make_device (VK_PHYSICAL_DEVICE_TYPE_CPU, 0);

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    const VyreMegakernelParams params = { .placement = numbers[i] };

    g_assert_null (vyre_placement_get_traits (numbers[i]));
    g_assert_null (vyre_placement_name (numbers[i]));
    g_assert_null (vyre_placement_blurb (numbers[i]));
    g_test_expect_message ("vyre", G_LOG_LEVEL_CRITICAL, "*vyre_placement_get_traits*");
    g_assert_null (vyre_megakernel_new (&device, &params, NULL));
    g_test_assert_expected_messages ();
  }
}

static void
test_auto_is_what_suits_the_device (void)
{
  const VyreDevice cpu = make_device (VK_PHYSICAL_DEVICE_TYPE_CPU, 0);
  const VyreDevice integrated = make_device (VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU, 1);
  const VyreDevice plain = make_device (VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, 0);
  const VyreDevice copies = make_device (VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, 2);
  g_autofree char *on_cpu = list_names (VYRE_PLACEMENT_AUTO, &cpu);
  g_autofree char *on_integrated = list_names (VYRE_PLACEMENT_AUTO, &integrated);
  g_autofree char *on_plain = list_names (VYRE_PLACEMENT_AUTO, &plain);
  g_autofree char *on_copies = list_names (VYRE_PLACEMENT_AUTO, &copies);

  g_assert_cmpstr (on_cpu, ==, "unified ");
  g_assert_cmpstr (on_integrated, ==, "unified ");
  g_assert_cmpstr (on_plain, ==, "bar ");
  g_assert_cmpstr (on_copies, ==, "split bar ");
}

static void
test_one_that_is_wanted_is_tried_alone (void)
{
  const VyreDevice cpu = make_device (VK_PHYSICAL_DEVICE_TYPE_CPU, 0);

  for (VyrePlacement placement = VYRE_PLACEMENT_AUTO + 1; vyre_placement_name (placement);
       placement++) {
    g_autofree char *names = list_names (placement, &cpu);
    g_assert_true (g_str_has_prefix (names, vyre_placement_name (placement)));
    g_assert_null (strchr (strchr (names, ' ') + 1, ' '));
  }
}

static void
test_reasons_follow_from_traits (void)
{
  VyreDevice discrete = make_device (VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, 0);

  g_assert_cmpstr (vyre_placement_why_not (VYRE_PLACEMENT_UNIFIED, &discrete), ==,
      "the device has memory of its own");
  g_assert_cmpstr (vyre_placement_why_not (VYRE_PLACEMENT_BAR, &discrete), ==,
      "the host cannot address memory of the device");
  discrete.subgroup_size = 1;
  g_assert_cmpstr (
      vyre_placement_why_not (VYRE_PLACEMENT_BAR, &discrete), ==, "its subgroups are too small");
  const VyreDevice cpu = make_device (VK_PHYSICAL_DEVICE_TYPE_CPU, 0);
  g_assert_null (vyre_placement_why_not (VYRE_PLACEMENT_UNIFIED, &cpu));
}

/* Whether a batch of @size bytes goes by copy engine behind @n_ahead others of its lane. 100 000
 * bytes are the threshold for a batch alone, and 40 000 behind others. */
static gboolean
prefers_copy_engine (VyrePayload payload, guint n_ahead, gsize size)
{
  VyreDevice device = make_device (VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, 1);
  VyreMegakernel kernel = {
    .copy_engine.device = &device,
    .copy_threshold = 100000,
    .train_threshold = 40000,
  };
  const VyreLane lane = { .kernel = &kernel, .n_in_flight = n_ahead };
  const VyrePlan plan = { .payload_size = size };

  return vyre_lane_prefers_copy_engine (&lane, &plan, &payload);
}

/* The lower threshold is for what the copy engine can read, staged or imported, behind others. */
static void
test_copy_engine (void)
{
  const guint8 bytes[1] = { 0 };
  VyreImport import = { 0 };
  const VyrePayload staged = { 0 }, anywhere = { .data = bytes };
  const VyrePayload imported = { .data = bytes, .import = &import };

  g_assert_false (prefers_copy_engine (staged, 0, 99999));
  g_assert_true (prefers_copy_engine (staged, 0, 100000));
  g_assert_false (prefers_copy_engine (staged, 1, 39999));
  g_assert_true (prefers_copy_engine (staged, 1, 40000));
  g_assert_false (prefers_copy_engine (imported, 0, 99999));
  g_assert_true (prefers_copy_engine (imported, 1, 40000));
  g_assert_false (prefers_copy_engine (anywhere, 1, 99999));
  g_assert_true (prefers_copy_engine (anywhere, 1, 100000));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/placement/names", test_each_has_a_name_of_its_own);
  g_test_add_func ("/placement/none", test_numbers_of_no_placement);
  g_test_add_func ("/placement/auto", test_auto_is_what_suits_the_device);
  g_test_add_func ("/placement/wanted", test_one_that_is_wanted_is_tried_alone);
  g_test_add_func ("/placement/reasons", test_reasons_follow_from_traits);
  g_test_add_func ("/placement/copy-engine", test_copy_engine);
  return g_test_run ();
}
