/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrenegotiation.h"

#include "filter/gstvyreaccess.h"
#include "filter/gstvyredescription.h"
#include "filter/gstvyreearly.h"
#include "filter/gstvyrepassthrough.h"
#include "filter/gstvyreslots.h"
#include "filter/gstvyrestaging.h"

/* The settings that apply to this stream: slots run without a program. Until the next call, the
 * sink side's copy keeps the program. */
void
gst_vyre_negotiation_get_settings (GstVyreFilter *self, GstVyreSettings *settings)
{
  gst_vyre_state_follow_settings (self, &self->sink_settings);
  *settings = self->sink_settings;
  if (!self->geometry.has_slots)
    return;
  settings->program = NULL;
  settings->slot_count = 0;
  if (settings->observable_slots == 0)
    settings->observable_slots = GST_VYRE_SLOTS_OBSERVABLES;
}

static gboolean
negotiation_has_plan (const GstVyreFilter *self, const GstVyreSettings *settings, gsize size,
    const VyreMegakernel *kernel)
{
  return self->plan && !self->plan_stale && self->plan_program == settings->program
         && self->plan_size == size && self->plan_slots == settings->slot_count
         && self->plan_observables == settings->observable_slots && self->plan_kernel == kernel;
}

/* Sends @caps if they differ from those of the source pad, and the events that wait for some. A
 * stream of buffers without caps, which is any, passes through without. */
static GstFlowReturn
negotiation_send_caps (GstVyreFilter *self, GstCaps *caps)
{
  if (self->out_caps && gst_caps_is_equal (caps, self->out_caps))
    return GST_FLOW_OK;
  GstFlowReturn flow = self->out_caps ? GST_FLOW_OK : gst_vyre_early_begin_stream (self);
  if (flow == GST_FLOW_OK && !gst_caps_is_any (caps))
    flow = gst_vyre_stream_push_event (self, gst_event_new_caps (caps));
  if (flow != GST_FLOW_OK) {
    self->plan_stale = TRUE; /* the next buffer tries again */
    return flow;
  }
  gst_caps_replace (&self->out_caps, caps);
  return gst_vyre_early_push (self);
}

/* Sends the caps of the sink pad, in passthrough. */
GstFlowReturn
gst_vyre_negotiation_pass_caps (GstVyreFilter *self, GstCaps *caps)
{
  g_autoptr (GstCaps) any = caps ? NULL : gst_caps_new_any ();

  return negotiation_send_caps (self, caps ? caps : any);
}

static GstFlowReturn
negotiation_pass_own_caps (GstVyreFilter *self)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->sinkpad);

  return gst_vyre_negotiation_pass_caps (self, caps);
}

/* Sends output caps if the layout of the readbacks, the results or the program have changed. In
 * passthrough these are for the pads beside the source pad. */
static GstFlowReturn
negotiation_update_caps (GstVyreFilter *self, const GstVyreSettings *settings,
    const VyreBoundProgram *bound, const VyreLayout *layout)
{
  const gchar *program = settings->program ? vyre_program_get_id (settings->program) : NULL;

  gst_vyre_description_update (&self->out_table, bound, layout, program);
  return gst_vyre_passthrough_is_on (self)
             ? negotiation_pass_own_caps (self)
             : negotiation_send_caps (self, gst_vyre_table_get_caps (self->out_table));
}

/* Sends the caps that the smallest buffer would have, and the events that wait for caps: a sparse
 * stream may start with a gap, and an empty one ends without a buffer. If the program cannot run on
 * the smallest buffer, the events go on waiting. */
GstFlowReturn
gst_vyre_negotiation_announce (GstVyreFilter *self)
{
  g_autoptr (VyreBoundProgram) bound = NULL;
  GstVyreSettings settings;
  VyreLayout layout;
  GstFlowReturn flow = GST_FLOW_OK;

  if (g_queue_is_empty (&self->early))
    return GST_FLOW_OK;
  if (gst_vyre_passthrough_is_on (self))
    return negotiation_pass_own_caps (self);
  gst_vyre_negotiation_get_settings (self, &settings);
  if (settings.program)
    bound = vyre_program_bind (settings.program, self->geometry.symbols, 0, settings.slot_count,
        settings.observable_slots, NULL);
  const VyreBoundProgram slots
      = { .n_slots = 1, .n_observables = settings.observable_slots, .sequence_slot = -1 };
  const VyreBoundProgram *described = bound ? bound : self->geometry.has_slots ? &slots : NULL;
  if (described) {
    vyre_layout_init (&layout, described->n_observables, described->n_slots);
    flow = negotiation_update_caps (self, &settings, described, &layout);
  }
  return flow;
}

/* Makes @plan, which it takes, the plan of buffers of @size bytes. */
static GstFlowReturn
negotiation_keep_plan (GstVyreFilter *self, const GstVyreSettings *settings, gsize size,
    const VyreMegakernel *kernel, VyrePlan *plan)
{
  self->era += self->plan_beginning != settings->beginning;
  g_clear_pointer (&self->plan, vyre_plan_unref);
  g_clear_pointer (&self->plan_program, vyre_program_unref);
  self->plan = plan;
  self->plan_program = settings->program ? vyre_program_ref (settings->program) : NULL;
  self->plan_beginning = settings->beginning;
  self->plan_size = size;
  self->plan_slots = settings->slot_count;
  self->plan_observables = settings->observable_slots;
  self->plan_kernel = kernel;
  self->plan_stale = FALSE;
  return negotiation_update_caps (
      self, settings, vyre_plan_get_bound_program (plan), vyre_plan_get_layout (plan));
}

/* Keeps the last plan as long as program, geometry, size and kernel are the same; else makes one.
 * */
static GstFlowReturn
negotiation_plan_program (
    GstVyreFilter *self, const GstVyreSettings *settings, gsize size, GstVyreShared *shared)
{
  GError *error = NULL;

  if (negotiation_has_plan (self, settings, size, shared->kernel))
    return GST_FLOW_OK;
  g_autoptr (VyreBoundProgram) bound = vyre_program_bind (settings->program, self->geometry.symbols,
      size, settings->slot_count, settings->observable_slots, &error);
  if (!bound)
    return gst_vyre_stream_fail (self, error);
  g_autoptr (VyreAccess) access = gst_vyre_access_get (self);
  VyrePlan *plan
      = vyre_plan_new (bound, size, vyre_megakernel_get_workgroup (shared->kernel), access, &error);
  if (!plan)
    return gst_vyre_stream_fail (self, error);
  return negotiation_keep_plan (self, settings, size, shared->kernel, plan);
}

/* Keeps the last plan if the slots are the same; else makes one. The slots are copied before the
 * check, so that they cannot change after it. */
static GstFlowReturn
negotiation_plan_slots (GstVyreFilter *self, const GstVyreSettings *settings,
    const GstVyreItem *item, GstVyreShared *shared)
{
  gsize size = item->timing.size;
  g_autofree guint8 *slots = g_try_malloc (size);
  VyrePlan *plan = NULL;
  GError *error = NULL;

  if (!slots)
    return gst_vyre_stream_fail (self, gst_vyre_no_memory (size));
  if (!gst_vyre_staging_copy_bytes (self, item->buffer, slots, &error))
    return gst_vyre_stream_fail (self, error);
  if (negotiation_has_plan (self, settings, size, shared->kernel)
      && memcmp (vyre_plan_get_bound_program (self->plan)->slots, slots, size) == 0)
    return GST_FLOW_OK;
  plan = gst_vyre_slots_plan (slots, size, settings->observable_slots,
      vyre_megakernel_get_workgroup (shared->kernel), &error);
  if (!plan)
    return gst_vyre_stream_fail (self, error);
  return negotiation_keep_plan (self, settings, size, shared->kernel, plan);
}

/* Makes `plan` the plan of the item's payload on the kernel of @shared. */
GstFlowReturn
gst_vyre_negotiation_plan (GstVyreFilter *self, const GstVyreSettings *settings,
    const GstVyreItem *item, GstVyreShared *shared)
{
  return settings->program ? negotiation_plan_program (self, settings, item->timing.size, shared)
                           : negotiation_plan_slots (self, settings, item, shared);
}

/* Forgets the plan and the output caps. */
void
gst_vyre_negotiation_reset (GstVyreFilter *self)
{
  g_clear_pointer (&self->plan, vyre_plan_unref);
  g_clear_pointer (&self->plan_program, vyre_program_unref);
  gst_vyre_state_clear_settings (&self->sink_settings);
  gst_caps_replace (&self->out_caps, NULL);
  g_clear_pointer (&self->out_table, gst_vyre_table_unref);
}
