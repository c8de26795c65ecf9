/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A lost device. The first streaming thread that notices has a thread of its own replace the
 * kernel, the opener, and both wait for that as long as their buffers may. Batches are numbered and
 * independent of each other, so nothing else happens then: the source pad's task runs again, in
 * order, the batches that the lost kernel left, and the sink pad's thread holds back new buffers
 * until these are through. A second loss in a stream ends it: the stream is likely to be the cause.
 */
#include "filter/gstvyrerecovery.h"

#include <string.h>

#include "common/gstvyrememory.h"
#include "filter/gstvyrestaging.h"
#include "filter/gstvyresubmit.h"

#define GST_CAT_DEFAULT gst_vyre_debug

typedef enum {
  PART_REPLACE, /* this thread starts the opener */
  PART_WAIT,    /* the opener is at work */
  PART_GO_ON,   /* the opener has put a new kernel in place */
  PART_GIVE_UP, /* this is the second loss */
  PART_TOLD,    /* another thread gave up, and has told the bus */
  PART_FLUSH,
} Part;

/* The work of the opener: a kernel in the place of a lost one */
typedef struct {
  GstVyreFilter *self;
  GstVyreShared *lost;
  GError *error; /* of the loss */
} Opening;

static void
opening_free (Opening *opening)
{
  gst_vyre_shared_unref (opening->lost);
  g_error_free (opening->error);
  gst_object_unref (opening->self);
  g_free (opening);
}

/* The lock is held. Returns the sequence of the first batch among @items, 0 without one. */
static guint32
recovery_first_of (const GQueue *items)
{
  for (GList *l = items->head; l; l = l->next) {
    const GstVyreItem *item = l->data;
    if (gst_vyre_item_is_batch (item))
      return item->sequence;
  }
  return 0;
}

/* The lock is held. Returns the sequence of the first batch that is not done. */
static guint32
recovery_first_undone (GstVyreFilter *self)
{
  guint32 late = recovery_first_of (&self->late);

  if (self->awaited && (late == 0 || (gint32)(self->awaited - late) < 0))
    return self->awaited;
  if (late > 0)
    return late;
  guint32 next = recovery_first_of (&self->items);
  return next > 0 ? next : self->sequence;
}

/* The lock is held. Counts the batches that were taken and whose readback has not left. */
static guint
recovery_count_undone (GstVyreFilter *self)
{
  guint n = self->awaited != 0;

  for (GList *l = self->late.head; l; l = l->next)
    n += gst_vyre_item_is_batch (l->data);
  for (GList *l = self->items.head; l; l = l->next)
    n += gst_vyre_item_is_batch (l->data);
  return n;
}

/* The lock is held. */
static Part
recovery_look (const GstVyreFilter *self, const GstVyreShared *lost)
{
  if (!gst_vyre_stream_is_open (self))
    return PART_FLUSH;
  if (self->shared != lost)
    return PART_GO_ON;
  if (self->recovering)
    return PART_WAIT;
  if (self->given_up)
    return PART_TOLD;
  return self->stats.device_losses > 0 ? PART_GIVE_UP : PART_REPLACE;
}

/* Waits while the opener is at work, until @end at most, in µs. */
static Part
recovery_take_part (GstVyreFilter *self, const GstVyreShared *lost, gint64 end)
{
  vyre_mutex_lock (&self->lock);
  Part part = recovery_look (self, lost);
  while (part == PART_WAIT && g_get_monotonic_time () < end) {
    gst_vyre_stream_sleep_until (self, end);
    part = recovery_look (self, lost);
  }
  if (part == PART_REPLACE || part == PART_GIVE_UP) {
    self->stats.device_losses++;
    self->recovering = TRUE;
  }
  g_mutex_unlock (&self->lock);
  return part;
}

/* Returns the length of a message up to its remedy. */
static gint
recovery_length_of_cause (const gchar *message)
{
  const gchar *fix = strstr (message, ". Fix: ");

  return fix ? (gint)(fix - message) : (gint)strlen (message);
}

/* Returns @error with the numbers of the lost batches between cause and remedy. Where @first is 0
 * there are none. */
static GError *
recovery_name_batches (const GError *error, const gchar *why, guint32 first, guint32 last)
{
  gint length = recovery_length_of_cause (error->message);
  g_autofree gchar *batches = NULL;

  if (first != last)
    batches = g_strdup_printf ("; batches %u to %u are lost", first, last);
  else if (first > 0)
    batches = g_strdup_printf ("; batch %u is lost", last);
  return g_error_new (VYRE_ERROR, VYRE_ERROR_DEVICE_LOST, "%.*s%s%s%s", length, error->message, why,
      batches ? batches : "", error->message + length);
}

/* Ends the stream, with one message for all threads, which others wait for. A stream that stops or
 * flushes drops its batches, and misses none. Takes @error. */
static GstFlowReturn
recovery_give_up (GstVyreFilter *self, GError *error, const gchar *why)
{
  vyre_mutex_lock (&self->lock);
  gboolean told = self->given_up, is_opener = self->opener == g_thread_self ();
  gboolean is_open = gst_vyre_stream_is_open (self);
  GError *named = recovery_name_batches (
      error, why, is_open ? recovery_first_undone (self) : 0, is_open ? self->sequence : 0);
  self->given_up = TRUE;
  self->recovering |= !told;
  g_mutex_unlock (&self->lock);
  g_error_free (error);
  if (told)
    g_error_free (named);
  else
    gst_vyre_stream_fail (self, named);
  vyre_mutex_lock (&self->lock);
  if (!is_opener || self->opener == g_thread_self ()) /* or a handler began another stream */
    self->recovering = FALSE;
  gst_vyre_stream_wake (self);
  g_mutex_unlock (&self->lock);
  return GST_FLOW_ERROR;
}

/* The lock is held. Puts @fresh in the place of the lost kernel. Returns how many batches have to
 * be run again: none that a flush is about to drop. */
static guint
recovery_exchange (GstVyreFilter *self, GstVyreShared *fresh, VyreTenant *tenant)
{
  GstVyreShared *lost = self->shared;

  if (self->active) {
    vyre_megakernel_set_active (fresh->kernel, TRUE);
    vyre_megakernel_set_active (lost->kernel, FALSE);
  }
  self->shared = fresh;
  self->lane = vyre_lane_new (fresh->kernel);
  self->lender = gst_vyre_staging_new_lender (self, fresh);
  self->tenant = tenant;
  self->settling = TRUE;
  self->n_undone = gst_vyre_stream_is_open (self) ? recovery_count_undone (self) : 0;
  return self->n_undone;
}

/* Uses @fresh, which it takes, from now on instead of @lost. FALSE if the element has gone to NULL
 * in the meantime, even with active pads. */
static gboolean
recovery_install (GstVyreFilter *self, const GstVyreShared *lost, GstVyreShared *fresh, guint *n)
{
  VyreTenant *tenant = gst_vyre_shared_join (fresh, GST_ELEMENT_CAST (self));

  vyre_mutex_lock (&self->lock);
  GstVyreShared *former = self->shared == lost ? self->shared : NULL;
  VyreTenant *former_tenant = former ? self->tenant : NULL;
  VyreLane *former_lane = former ? self->lane : NULL;
  GstAllocator *former_lender = former ? self->lender : NULL;
  if (former)
    *n = recovery_exchange (self, fresh, tenant);
  self->recovering = FALSE;
  gst_vyre_stream_wake (self);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&former_lane, vyre_lane_unref);
  if (former_lender)
    gst_vyre_staging_free_lender (self, former_lender);
  gst_vyre_shared_leave (former ? former : fresh, former ? former_tenant : tenant);
  gst_vyre_shared_unref (former ? former : fresh);
  return former != NULL;
}

static void
recovery_warn (GstVyreFilter *self, const GError *error, guint n)
{
  GST_ELEMENT_WARNING (self, RESOURCE, FAILED,
      ("%.*s; it was opened again, and %u %s run again. Fix: look for driver messages in the "
       "kernel log.",
          recovery_length_of_cause (error->message), error->message, n,
          n == 1 ? "batch is" : "batches are"),
      (NULL));
}

/* Waits until the stream goes on without the lost kernel, or stops, or a thread waits for the
 * opener's end. */
static void
recovery_await_settled (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  while (self->settling && self->source_active && self->opener == g_thread_self ()) {
    self->n_sleeping++;
    g_cond_wait (&self->changed, &self->lock);
    self->n_sleeping--;
  }
  g_mutex_unlock (&self->lock);
}

/* The opener. Opens a device and a kernel like the lost ones, unless another element has already,
 * and has upstream ask again for memory of the kernel. The lost kernel goes here: that, too, takes
 * as long as the driver needs. */
static gpointer
recovery_replace (gpointer data)
{
  Opening *opening = data;
  GstVyreFilter *self = opening->self;
  GError *reason = NULL;
  GstVyreShared *fresh = gst_vyre_shared_acquire (&opening->lost->params, &reason);
  guint n = 0;

  if (!fresh) {
    recovery_give_up (self, reason, ", when it was opened again after a loss");
  } else if (recovery_install (self, opening->lost, fresh, &n)) {
    recovery_warn (self, opening->error, n);
    gst_pad_push_event (self->sinkpad, gst_event_new_reconfigure ());
    recovery_await_settled (self);
  }
  opening_free (opening);
  return NULL;
}

static GError *
recovery_no_thread (const GError *reason)
{
  return g_error_new (VYRE_ERROR, VYRE_ERROR_NO_THREAD,
      "The device was lost, and no thread can be made to open it again: %s. Fix: raise the limit "
      "of processes (ulimit -u, pids.max of the container), or end some.",
      reason->message);
}

/* Starts the opener. Without a thread for it the stream ends. */
static void
recovery_start (GstVyreFilter *self, GstVyreShared *lost, const GError *error)
{
  Opening *opening = g_new (Opening, 1);
  g_autoptr (GError) reason = NULL;

  *opening = (Opening){ gst_object_ref (self), gst_vyre_shared_ref (lost), g_error_copy (error) };
  gst_vyre_recovery_end (self);  /* of a start that failed */
  vyre_mutex_lock (&self->lock); /* the opener looks whether it is the one */
  self->opener = g_thread_try_new ("vyre-opener", recovery_replace, opening, &reason);
  g_mutex_unlock (&self->lock);
  if (!reason)
    return;
  recovery_give_up (self, recovery_no_thread (reason), "");
  opening_free (opening);
}

/* No streaming thread runs, or the opener has done its work. Waits for its end, unless a handler of
 * the bus calls from there: the next stream waits for nothing that the handler holds up. */
void
gst_vyre_recovery_end (GstVyreFilter *self)
{
  vyre_mutex_lock (&self->lock);
  GThread *opener = g_steal_pointer (&self->opener);
  self->settling = FALSE;
  if (opener == g_thread_self ())
    self->recovering = FALSE;
  gst_vyre_stream_wake_others (self);
  g_mutex_unlock (&self->lock);
  if (opener == g_thread_self ())
    g_thread_unref (opener);
  else if (opener)
    g_thread_join (opener);
}

/* Handles @error, which it takes, of the kernel of @failed, on a streaming thread.
 * GST_VYRE_FLOW_AGAIN: try again with the kernel that is in use now. GST_VYRE_FLOW_LATE: there is
 * none by @end, in µs. An error that ends the stream is posted. */
GstFlowReturn
gst_vyre_recovery_handle (GstVyreFilter *self, GstVyreShared *failed, gint64 end, GError *error)
{
  if (!g_error_matches (error, VYRE_ERROR, VYRE_ERROR_DEVICE_LOST))
    return gst_vyre_stream_fail (self, error);
  if (vyre_megakernel_check (failed->kernel, NULL))
    return recovery_give_up (
        self, error, ""); /* the kernel works: a payload was lost with another device */
  gst_vyre_allocator_retire (failed->upstream_allocator);
  GST_DEBUG_OBJECT (self, "%s", error->message);
  Part part = recovery_take_part (self, failed, end);
  if (part == PART_GIVE_UP)
    return recovery_give_up (self, error, ", for the second time in this stream");
  if (part == PART_REPLACE) {
    recovery_start (self, failed, error);
    part = recovery_take_part (self, failed, end);
  }
  g_error_free (error);
  switch (part) {
    case PART_GO_ON:
      return GST_VYRE_FLOW_AGAIN;
    case PART_WAIT:
      return GST_VYRE_FLOW_LATE;
    case PART_FLUSH:
      return GST_FLOW_FLUSHING;
    default:
      return GST_FLOW_ERROR;
  }
}

static gboolean
recovery_plan_again (GstVyreItem *item, GstVyreShared *shared, GError **error)
{
  /* a plan only takes a reference to the bound program */
  VyreBoundProgram *bound = (VyreBoundProgram *)vyre_plan_get_bound_program (item->plan);
  VyrePlan *plan = vyre_plan_new (bound, vyre_plan_get_payload_size (item->plan),
      vyre_megakernel_get_workgroup (shared->kernel), vyre_plan_get_access (item->plan), error);

  if (!plan)
    return FALSE;
  vyre_plan_unref (item->plan);
  item->plan = plan;
  return TRUE;
}

/* Publishes the item of the task, whose kernel was lost, on the kernel in use. If that fails, all
 * items behind it are lost, too. GST_VYRE_FLOW_LATE: there was no room for as long as the item may
 * wait. */
GstFlowReturn
gst_vyre_recovery_rerun (GstVyreFilter *self, GstVyreItem *item)
{
  gst_vyre_item_forget_batch (item); /* without the lock: its kernel may go with it */
  vyre_mutex_lock (&self->lock);
  g_autoptr (GstVyreShared) shared = gst_vyre_stream_choose_kernel (self, item);
  g_mutex_unlock (&self->lock);
  if (!shared || gst_vyre_stream_is_flushing (self))
    return GST_FLOW_FLUSHING;
  GST_DEBUG_OBJECT (self, "running batch %u again", item->sequence);
  item->is_rerun = TRUE;
  GstFlowReturn flow = GST_FLOW_ERROR;
  GError *error = NULL;
  if (recovery_plan_again (item, shared, &error))
    flow = gst_vyre_submit (self, shared, item, &error);
  if (g_error_matches (error, VYRE_ERROR, VYRE_ERROR_DEVICE_LOST))
    return gst_vyre_recovery_handle (self, shared, item->until, error);
  if (error)
    return recovery_give_up (self, error, "");
  if (flow != GST_FLOW_OK)
    return flow;
  vyre_mutex_lock (&self->lock);
  if (item->epoch == self->epoch)
    self->n_undone--;
  self->stats.rerun_batches++;
  gst_vyre_stream_wake (self);
  g_mutex_unlock (&self->lock);
  return GST_FLOW_OK;
}
