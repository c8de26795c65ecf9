/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyreparams.h"

#include "filter/gstvyreprogram.h"

enum { PROP_VALUE = 1 };

struct _GstVyreParam {
  GstObject parent;
};

G_DEFINE_FINAL_TYPE (GstVyreParam, gst_vyre_param, GST_TYPE_OBJECT)

/* A child that has left its element keeps no value. */
static void
gst_vyre_param_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  g_autoptr (GstObject) element = gst_object_get_parent (GST_OBJECT_CAST (object));

  if (element)
    gst_vyre_program_set_param (GST_VYRE_FILTER_CAST (element), GST_OBJECT_NAME (object), value);
}

static void
gst_vyre_param_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  g_autoptr (GstObject) element = gst_object_get_parent (GST_OBJECT_CAST (object));

  if (element)
    gst_vyre_program_get_param (GST_VYRE_FILTER_CAST (element), GST_OBJECT_NAME (object), value);
}

static void
gst_vyre_param_class_init (GstVyreParamClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = gst_vyre_param_set_property;
  object_class->get_property = gst_vyre_param_get_property;
  g_object_class_install_property (object_class, PROP_VALUE,
      g_param_spec_double ("value", "Value", "Number of the param, to nine digits behind the point",
          0.0, G_MAXUINT32, 0.0,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_CONTROLLABLE
              | GST_PARAM_MUTABLE_PLAYING));
}

static void
gst_vyre_param_init (GstVyreParam *self)
{
}

static guint
params_count (GstChildProxy *proxy)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (proxy);

  GST_OBJECT_LOCK (self);
  guint n = self->children->len;
  GST_OBJECT_UNLOCK (self);
  return n;
}

static GObject *
params_get (GstChildProxy *proxy, guint index)
{
  GstVyreFilter *self = GST_VYRE_FILTER_CAST (proxy);
  GObject *child = NULL;

  GST_OBJECT_LOCK (self);
  if (index < self->children->len)
    child = g_object_ref (g_ptr_array_index (self->children, index));
  GST_OBJECT_UNLOCK (self);
  return child;
}

void
gst_vyre_params_init_interface (gpointer interface, gpointer data)
{
  GstChildProxyInterface *proxy = interface;

  proxy->get_children_count = params_count;
  proxy->get_child_by_index = params_get;
}

/* Object lock held. Takes the child called @name out of @children, or makes one. */
static GstObject *
params_take_child (GstVyreFilter *self, GHashTable *children, const char *name, GPtrArray *come)
{
  GstObject *child = g_hash_table_lookup (children, name);

  if (child) {
    g_hash_table_remove (children, name);
    return gst_object_ref (child);
  }
  child = g_object_new (GST_TYPE_VYRE_PARAM, "name", name, NULL);
  gst_object_set_parent (child, GST_OBJECT_CAST (self)); /* sinks it; it is not in a list yet */
  g_ptr_array_add (come, gst_object_ref (child));
  return gst_object_ref (child);
}

/* Object lock held. Makes the list of the children of the program; @come has those that are new,
 * @gone those of before that are not in it. */
static GPtrArray *
params_list_children (GstVyreFilter *self, GPtrArray *come, GPtrArray *gone)
{
  GPtrArray *children = g_ptr_array_new_with_free_func (gst_object_unref);
  g_autoptr (GHashTable) others = g_hash_table_new (g_str_hash, g_str_equal);
  guint n = 0;
  const VyreParam *params = self->program ? vyre_program_get_params (self->program, &n) : NULL;

  for (guint i = 0; i < self->children->len; i++) {
    GstObject *child = g_ptr_array_index (self->children, i);
    g_hash_table_insert (others, GST_OBJECT_NAME (child), child);
  }
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (children, params_take_child (self, others, params[i].name, come));
  for (guint i = 0; i < self->children->len; i++) {
    GstObject *child = g_ptr_array_index (self->children, i);
    if (g_hash_table_contains (others, GST_OBJECT_NAME (child)))
      g_ptr_array_add (gone, gst_object_ref (child));
  }
  return children;
}

static void
params_remove (GstVyreFilter *self, GPtrArray *children)
{
  for (guint i = 0; i < children->len; i++) {
    GstObject *child = g_ptr_array_index (children, i);
    gst_object_unparent (child);
    gst_child_proxy_child_removed (
        GST_CHILD_PROXY (self), G_OBJECT (child), GST_OBJECT_NAME (child));
  }
}

/* Has the children be those of the program, by their names and in its order. A child whose name
 * stays keeps its control sources. */
void
gst_vyre_params_follow (GstVyreFilter *self)
{
  g_autoptr (GPtrArray) come = g_ptr_array_new_with_free_func (gst_object_unref);
  g_autoptr (GPtrArray) gone = g_ptr_array_new_with_free_func (gst_object_unref);

  GST_OBJECT_LOCK (self);
  GPtrArray *children = params_list_children (self, come, gone);
  G_GNUC_UNUSED g_autoptr (GPtrArray) before = self->children; /* freed without the lock */
  self->children = children;
  GST_OBJECT_UNLOCK (self);
  params_remove (self, gone);
  for (guint i = 0; i < come->len; i++) {
    GstObject *child = g_ptr_array_index (come, i);
    gst_child_proxy_child_added (GST_CHILD_PROXY (self), G_OBJECT (child), GST_OBJECT_NAME (child));
  }
}

/* Returns the children that have control sources, or NULL. */
static GPtrArray *
params_controlled (GstVyreFilter *self)
{
  GPtrArray *controlled = NULL;

  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < self->children->len; i++) {
    GstObject *child = g_ptr_array_index (self->children, i);
    if (!child->control_bindings)
      continue;
    if (!controlled)
      controlled = g_ptr_array_new_with_free_func (gst_object_unref);
    g_ptr_array_add (controlled, gst_object_ref (child));
  }
  GST_OBJECT_UNLOCK (self);
  return controlled;
}

/* Adds the number that the control source of @child has for @stream_time, if any. */
static void
params_read_source (GstObject *child, GstClockTime stream_time, GstStructure *numbers)
{
  g_autoptr (GstControlBinding) binding = gst_object_get_control_binding (child, "value");

  if (!binding || gst_control_binding_is_disabled (binding))
    return;
  GValue *value = gst_control_binding_get_value (binding, stream_time);
  if (!value)
    return;
  gst_structure_take_value (numbers, GST_OBJECT_NAME (child), value);
  g_free (value);
}

/* Sets the params that have control sources to the numbers of @stream_time, all at once: a program
 * may refuse some of them without the others. */
void
gst_vyre_params_sync (GstVyreFilter *self, GstClockTime stream_time)
{
  g_autoptr (GPtrArray) controlled = params_controlled (self);

  if (!controlled || !GST_CLOCK_TIME_IS_VALID (stream_time))
    return;
  g_autoptr (GstStructure) numbers = gst_structure_new_empty ("params");
  for (guint i = 0; i < controlled->len; i++)
    params_read_source (g_ptr_array_index (controlled, i), stream_time, numbers);
  if (gst_structure_n_fields (numbers) == 0 || !gst_vyre_program_move_params (self, numbers))
    return;
  for (guint i = 0; i < controlled->len; i++)
    g_object_notify (g_ptr_array_index (controlled, i), "value");
}

/* In a child process, whose other threads are gone with the locks that they held. */
void
gst_vyre_params_become_inherited (GstVyreFilter *self)
{
  for (guint i = 0; i < self->children->len; i++)
    g_mutex_init (GST_OBJECT_GET_LOCK (g_ptr_array_index (self->children, i)));
}

/* While the element can still be referred to: a thread that holds a child may ask for its parent.
 */
void
gst_vyre_params_leave (GstVyreFilter *self)
{
  GPtrArray *children = g_ptr_array_new_with_free_func (gst_object_unref);

  GST_OBJECT_LOCK (self);
  g_autoptr (GPtrArray) gone = self->children;
  self->children = children;
  GST_OBJECT_UNLOCK (self);
  for (guint i = 0; i < gone->len; i++)
    gst_object_unparent (g_ptr_array_index (gone, i));
}
