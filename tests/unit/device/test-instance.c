/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Instances of Vulkan: one for each device, but a single one for a process that sees a GPU.
 */
#include "fork-common.h"
#include "lost.h"
#include "vyre/device.h"

/* More than NVIDIA's driver gives a process that destroys each. */
#define N_DEVICES 40

#define N_THREADS 4

static void
open_and_close (void)
{
  GError *error = NULL;
  VyreDevice *device = vyre_device_open ("auto", &error);

  g_assert_no_error (error);
  vyre_device_unref (device);
}

static gpointer
open_and_close_many (gpointer data)
{
  for (guint i = 0; i < N_DEVICES; i++)
    open_and_close ();
  return NULL;
}

static void
run_threads (void)
{
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("opens", open_and_close_many, NULL);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
}

static void
test_without_gpu (void)
{
  guint before = vyre_lost_count_instances ();

  open_and_close_many (NULL);
  g_assert_cmpuint (vyre_lost_count_instances () - before, ==, N_DEVICES);
}

static void
test_gpu (void)
{
  guint before = vyre_lost_count_instances ();

  vyre_lost_show_gpu ();
  run_threads ();
  guint first = vyre_lost_count_instances () - before; /* of threads that began together */
  g_assert_cmpuint (first, >=, 1);
  g_assert_cmpuint (first, <=, N_THREADS);
  run_threads ();
  g_assert_cmpuint (vyre_lost_count_instances () - before, ==, first);
}

#ifndef __SANITIZE_THREAD__ /* a child cannot make threads */
static void
open_in_child (gpointer data)
{
  guint before = vyre_lost_count_instances ();

  open_and_close ();
  open_and_close ();
  g_assert_cmpuint (vyre_lost_count_instances () - before, ==, 1);
}

/* A child of a process with a kept instance makes its own. */
static void
test_child (void)
{
  vyre_lost_show_gpu ();
  open_and_close ();
  g_assert_cmpint (fork_and_run (open_in_child, NULL, exit), ==, 0);
}
#endif

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/instance/without-gpu", test_without_gpu);
  g_test_add_func ("/instance/gpu", test_gpu);
#ifndef __SANITIZE_THREAD__
  g_test_add_func ("/instance/child", test_child);
#endif
  return g_test_run ();
}
