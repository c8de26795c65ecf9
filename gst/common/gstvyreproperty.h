/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tables of properties. One row says everything about a property: installing, setting, getting and
 * the default come from it. A property that only stores a field needs no code.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* READY properties change in NULL and READY only, PLAYING ones in every state. */
#define GST_VYRE_PROPERTY_READY                                                                    \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define GST_VYRE_PROPERTY_PLAYING                                                                  \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)
#define GST_VYRE_PROPERTY_READABLE (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

typedef enum {
  GST_VYRE_PROPERTY_STRING,
  GST_VYRE_PROPERTY_BOOLEAN,
  GST_VYRE_PROPERTY_UINT,
  GST_VYRE_PROPERTY_UINT64,
  GST_VYRE_PROPERTY_ENUM,
  GST_VYRE_PROPERTY_FLAGS,
  GST_VYRE_PROPERTY_BOXED,
} GstVyrePropertyType;

typedef struct {
  const gchar *name; /* NULL ends a table */
  const gchar *nick;
  const gchar *blurb;
  GParamFlags flags;
  GstVyrePropertyType type;
  gsize offset; /* of the field, from the base of the table */
  guint64 least;
  guint64 most;
  guint64 preset;           /* the default of a number */
  const gchar *text;        /* the default of a string, which NULL stands for; may be NULL */
  const gchar *type_name;   /* of an enum or of flags, a new type */
  gconstpointer values;     /* its GEnumValue[] or GFlagsValue[] */
  GType (*get_type) (void); /* of a boxed value */
  void (*set) (GObject *object, const GValue *value); /* instead of storing; takes its own locks */
  void (*get) (GObject *object, GValue *value);       /* instead of loading; takes its own locks */
  void (*changed) (GObject *object);                  /* after storing, without a lock */
} GstVyreProperty;

/* The offset of a field, which has to be as large as @ctype */
#define GST_VYRE_FIELD(ctype, owner, field)                                                        \
  (G_STRUCT_OFFSET (owner, field)                                                                  \
      + 0 * sizeof (gchar[sizeof (((owner *)0)->field) == sizeof (ctype) ? 1 : -1]))

/* The rows, by type; @when is one of the flags above, @place the struct and its field. */
#define GST_VYRE_STRING(name_, nick_, blurb_, when, text_, place)                                  \
  .name = name_, .nick = nick_, .blurb = blurb_, .flags = when, .type = GST_VYRE_PROPERTY_STRING,  \
  .text = text_, .offset = GST_VYRE_FIELD (gchar *, place)
#define GST_VYRE_BOOLEAN(name_, nick_, blurb_, when, preset_, place)                               \
  .name = name_, .nick = nick_, .blurb = blurb_, .flags = when, .type = GST_VYRE_PROPERTY_BOOLEAN, \
  .preset = preset_, .offset = GST_VYRE_FIELD (gboolean, place)
#define GST_VYRE_UINT(name_, nick_, blurb_, when, least_, most_, preset_, place)                   \
  .name = name_, .nick = nick_, .blurb = blurb_, .flags = when, .type = GST_VYRE_PROPERTY_UINT,    \
  .least = least_, .most = most_, .preset = preset_, .offset = GST_VYRE_FIELD (guint, place)
#define GST_VYRE_UINT64(name_, nick_, blurb_, when, least_, most_, preset_, place)                 \
  .name = name_, .nick = nick_, .blurb = blurb_, .flags = when, .type = GST_VYRE_PROPERTY_UINT64,  \
  .least = least_, .most = most_, .preset = preset_, .offset = GST_VYRE_FIELD (guint64, place)
#define GST_VYRE_ENUM(name_, nick_, blurb_, when, type_name_, values_, preset_, place)             \
  .name = name_, .nick = nick_, .blurb = blurb_, .flags = when, .type = GST_VYRE_PROPERTY_ENUM,    \
  .type_name = type_name_, .values = values_, .preset = preset_,                                   \
  .offset = GST_VYRE_FIELD (guint, place)
#define GST_VYRE_FLAGS(name_, nick_, blurb_, when, type_name_, values_, preset_, place)            \
  .name = name_, .nick = nick_, .blurb = blurb_, .flags = when, .type = GST_VYRE_PROPERTY_FLAGS,   \
  .type_name = type_name_, .values = values_, .preset = preset_,                                   \
  .offset = GST_VYRE_FIELD (guint, place)
#define GST_VYRE_BOXED(name_, nick_, blurb_, when, get_type_, get_)                                \
  .name = name_, .nick = nick_, .blurb = blurb_, .flags = when, .type = GST_VYRE_PROPERTY_BOXED,   \
  .get_type = get_type_, .get = get_

/* Rows whose fields lie in one struct, at offset @base of the instance. An element has an array of
 * these; an entry without rows ends it. */
typedef struct {
  const GstVyreProperty *rows;
  gsize base;
} GstVyrePropertyTable;

void gst_vyre_properties_install (GObjectClass *klass, const GstVyrePropertyTable *tables);
void gst_vyre_properties_set (
    GObject *object, const GstVyrePropertyTable *tables, guint id, const GValue *value);
void gst_vyre_properties_get (
    GObject *object, const GstVyrePropertyTable *tables, guint id, GValue *value);
void gst_vyre_properties_init (gpointer instance, const GstVyrePropertyTable *tables);
void gst_vyre_properties_clear (gpointer instance, const GstVyrePropertyTable *tables);

void gst_vyre_fields_copy (const GstVyreProperty *rows, gpointer to, gconstpointer from);
void gst_vyre_fields_clear (const GstVyreProperty *rows, gpointer owner);
gboolean gst_vyre_fields_equal (const GstVyreProperty *rows, gconstpointer a, gconstpointer b);

G_END_DECLS
