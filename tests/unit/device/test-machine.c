/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The devices of the machine as they are listed: what vyre_device_open() opens, and no more.
 */
#include <string.h>

#include "lost.h"
#include "vyre/device.h"
#include "vyre/machine.h"

/* The one device that @selector means. */
static VyreDeviceInfo *
list_one (const char *selector, GPtrArray **list)
{
  GError *error = NULL;

  *list = vyre_machine_list_devices (selector, &error);
  g_assert_no_error (error);
  g_assert_cmpuint ((*list)->len, ==, 1);
  return (*list)->pdata[0];
}

static void
assert_version (const char *version)
{
  g_assert_true (g_regex_match_simple ("^[1-9]\\.[0-9]+\\.[0-9]+$", version, 0, 0));
}

/* Each is what an opening by its index or its UUID has. */
static void
test_all (void)
{
  GError *error = NULL;
  g_autoptr (GPtrArray) all = vyre_machine_list_devices (NULL, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < all->len; i++) {
    const VyreDeviceInfo *info = all->pdata[i];
    g_autofree char *index = g_strdup_printf ("%u", i);
    g_autoptr (VyreDevice) device = vyre_device_open (index, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (info->index, ==, i);
    g_assert_cmpstr (info->name, ==, vyre_device_get_name (device));
    g_assert_cmpstr (info->uuid, ==, vyre_device_get_uuid (device));
    g_assert_cmpint (g_str_equal (info->kind, "cpu"), ==, vyre_device_is_cpu (device));
    g_assert_cmpuint (strlen (info->driver), >, 0);
    assert_version (info->vulkan);
  }
}

static void
test_selected (void)
{
  g_autoptr (VyreDevice) device = vyre_device_open ("auto", NULL);
  const char *const selectors[]
      = { "auto", vyre_device_get_uuid (device), vyre_device_get_name (device) };

  for (guint i = 0; i < G_N_ELEMENTS (selectors); i++) {
    g_autoptr (GPtrArray) list = NULL;
    g_assert_cmpstr (list_one (selectors[i], &list)->uuid, ==, vyre_device_get_uuid (device));
  }
}

static void
test_none (void)
{
  g_autoptr (GError) error = NULL, other = NULL;

  g_assert_null (vyre_machine_list_devices ("nonsense", &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_NO_DEVICE);
  g_assert_null (vyre_device_open ("nonsense", &other));
  g_assert_cmpstr (error->message, ==, other->message);
}

static void
test_no_driver (void)
{
  g_autoptr (GError) error = NULL;

  if (!g_test_subprocess ()) {
    g_test_trap_subprocess (NULL, 0, 0);
    g_test_trap_assert_passed ();
    return;
  }
  g_setenv ("VK_DRIVER_FILES", "/nonexistent", TRUE);
  g_setenv ("VK_ICD_FILENAMES", "/nonexistent", TRUE);
  g_assert_null (vyre_machine_list_devices (NULL, &error));
  g_assert_error (error, VYRE_ERROR, VYRE_ERROR_NO_DEVICE);
  g_assert_nonnull (strstr (error->message, " Fix: "));
  g_autofree char *loader = vyre_machine_get_loader_version ();
  assert_version (loader);
}

/* Listing a GPU makes the instance that later openings use. */
static void
test_gpu (void)
{
  g_autoptr (GPtrArray) list = NULL;
  guint before = vyre_lost_count_instances ();

  vyre_lost_show_gpu ();
  g_assert_cmpstr (list_one ("auto", &list)->kind, ==, "virtual-gpu");
  g_autoptr (VyreDevice) device = vyre_device_open ("auto", NULL);
  g_assert_nonnull (device);
  g_assert_cmpuint (vyre_lost_count_instances () - before, ==, 1);
}

static void
test_cache_folder (void)
{
  g_autofree char *expected = g_build_filename (g_getenv ("XDG_CACHE_HOME"), "gst-vyre", NULL);
  g_autofree char *folder = vyre_machine_get_cache_folder ();

  g_assert_cmpstr (folder, ==, expected);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/machine/all", test_all);
  g_test_add_func ("/machine/selected", test_selected);
  g_test_add_func ("/machine/none", test_none);
  g_test_add_func ("/machine/no-driver", test_no_driver);
  g_test_add_func ("/machine/cache-folder", test_cache_folder);
  g_test_add_func ("/machine/gpu", test_gpu); /* keeps its instance */
  return g_test_run ();
}
