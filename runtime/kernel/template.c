/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/template.h"

#include "device/wide-store.h"

typedef struct {
  VyreTemplate base;
  VyreStore *store;
  VyreTemplatePlace place;
} Template;

static void
template_free (VyreTemplate *base)
{
  Template *template = (Template *)base;

  vyre_store_free (template->store, template->place.offset);
  vyre_store_unref (template->store);
  g_free (template);
}

/* Lock held. Returns a new template of @plan, or NULL when there is no room. It is in place before
 * any ticket that names it: tickets are written after the lock is dropped. */
static Template *
template_new (VyreMegakernel *kernel, const VyrePlan *plan)
{
  gsize offset;

  if (!vyre_store_alloc (kernel->work, plan->small_size, 0, &offset))
    return NULL;
  vyre_wide_store (vyre_store_get_data (kernel->work) + offset, plan->slice, plan->small_size);
  /* pairs with the load of the ticket in look() and take(), megakernel.comp */
  vyre_buffer_flush ();
  if (++kernel->n_templates == 0)
    kernel->n_templates = 1; /* workgroups without a template hold number 0 */
  Template *template = g_new (Template, 1);
  *template = (Template){ { template_free }, vyre_store_ref (kernel->work),
    { offset, kernel->n_templates } };
  return template;
}

/* Any thread. Whether the plan has a template on the batch's kernel already. */
gboolean
vyre_template_is_there (const VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;

  if (!kernel->traits->in_device_memory || !batch->plan->small)
    return FALSE;
  /* pairs with the exchange in vyre_template_find() */
  const Template *template = (const Template *)g_atomic_pointer_get (&batch->plan->template);
  return template && template->store == kernel->work;
}

/* Lock held. Makes the template of the batch's plan the first time. FALSE: there is no room, or
 * another kernel has the plan's template. Two kernels may try at the same time, each under its own
 * lock: the first to exchange the pointer has it. */
gboolean
vyre_template_find (const VyreBatch *batch)
{
  VyreMegakernel *kernel = batch->kernel;
  VyrePlan *plan = batch->plan;

  if (!kernel->traits->in_device_memory || !plan->small)
    return FALSE;
  /* pairs with the exchange below, of another kernel's thread */
  Template *template = (Template *)g_atomic_pointer_get (&plan->template);
  if (template)
    return template->store == kernel->work;
  template = template_new (kernel, plan);
  if (!template)
    return FALSE;
  if (g_atomic_pointer_compare_and_exchange (&plan->template, NULL, &template->base))
    return TRUE;
  template_free (&template->base);
  return FALSE;
}

/* Any thread, for a batch for which vyre_template_find() was TRUE. */
VyreTemplatePlace
vyre_template_get_place (const VyreBatch *batch)
{
  /* pairs with the exchange in vyre_template_find() */
  const VyreTemplate *base = g_atomic_pointer_get (&batch->plan->template);

  return ((const Template *)base)->place;
}
