/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "library/gstvyretypes.h"

#include <string.h>

#include "abi.h"
#include "library/gstvyrefields.h"
#include "vyre/events.h"

/* The unit of a field: that of what is counted, that of values, its square, or none */
typedef enum {
  UNIT_NONE,
  UNIT_COUNTED,
  UNIT_VALUED,
  UNIT_SQUARED,
} UnitOf;

/* A field of a structure: its first word, and the type of these words */
typedef struct {
  const gchar *name;
  guint word;
  GstVyreResultType type;
  UnitOf unit;
} Field;

static const Field stats_fields[] = {
  { "count", VYRE_U8_STATS_COUNT, GST_VYRE_RESULT_U32, UNIT_COUNTED },
  { "min", VYRE_U8_STATS_MIN, GST_VYRE_RESULT_U32, UNIT_VALUED },
  { "max", VYRE_U8_STATS_MAX, GST_VYRE_RESULT_U32, UNIT_VALUED },
  { "sum", VYRE_U8_STATS_SUM, GST_VYRE_RESULT_U64, UNIT_VALUED },
  { "sum-squares", VYRE_U8_STATS_SUM_SQUARES, GST_VYRE_RESULT_U64, UNIT_SQUARED },
  { "above", VYRE_DIFFERENCE_ABOVE, GST_VYRE_RESULT_U32, UNIT_COUNTED }, /* of a difference alone */
};

static const Field audio_fields[] = {
  { "count", VYRE_AUDIO_STATS_COUNT, GST_VYRE_RESULT_U32, UNIT_COUNTED },
  { "min", VYRE_AUDIO_STATS_MIN, GST_VYRE_RESULT_I32, UNIT_VALUED },
  { "max", VYRE_AUDIO_STATS_MAX, GST_VYRE_RESULT_I32, UNIT_VALUED },
  { "peak", VYRE_AUDIO_STATS_PEAK, GST_VYRE_RESULT_U32, UNIT_VALUED },
  { "sum", VYRE_AUDIO_STATS_SUM, GST_VYRE_RESULT_I64, UNIT_VALUED },
  { "sum-squares", VYRE_AUDIO_STATS_SUM_SQUARES, GST_VYRE_RESULT_U64, UNIT_SQUARED },
  { "sum-squares-high", VYRE_AUDIO_STATS_SUM_SQUARES + 2, GST_VYRE_RESULT_U32, UNIT_NONE },
  { "clipped", VYRE_AUDIO_STATS_CLIPPED, GST_VYRE_RESULT_U32, UNIT_COUNTED },
  { "zero-crossings", VYRE_AUDIO_STATS_CROSSINGS, GST_VYRE_RESULT_U32, UNIT_NONE },
  { "nans", VYRE_AUDIO_STATS_NANS, GST_VYRE_RESULT_U32, UNIT_COUNTED },
  { "full-scale", VYRE_AUDIO_STATS_FULL_SCALE, GST_VYRE_RESULT_U32, UNIT_VALUED },
};

static const Field bounds_fields[] = {
  { "count", VYRE_BOUNDS_COUNT, GST_VYRE_RESULT_U32, UNIT_COUNTED },
  { "begin", VYRE_BOUNDS_BEGIN, GST_VYRE_RESULT_U32, UNIT_COUNTED },
  { "end", VYRE_BOUNDS_END, GST_VYRE_RESULT_U32, UNIT_COUNTED },
};

static const Field ssim_fields[] = {
  { "count", VYRE_SSIM_COUNT, GST_VYRE_RESULT_U32, UNIT_COUNTED },
  { "sum", VYRE_SSIM_SUM, GST_VYRE_RESULT_I64, UNIT_VALUED },
};

/* Quiet samples in a row, which the words of the result tell: of the words that types_read_quiet()
 * makes of these */
enum { QUIET_COUNT, QUIET_HEAD, QUIET_TAIL, QUIET_LONGEST, N_QUIET_WORDS };

static const Field loud_fields[] = {
  { "count", QUIET_COUNT, GST_VYRE_RESULT_U32, UNIT_COUNTED },
  { "head", QUIET_HEAD, GST_VYRE_RESULT_U32, UNIT_COUNTED },
  { "tail", QUIET_TAIL, GST_VYRE_RESULT_U32, UNIT_COUNTED },
  { "longest", QUIET_LONGEST, GST_VYRE_RESULT_U32, UNIT_COUNTED },
};

static const Field bin_fields[] = { { "bin", 0, GST_VYRE_RESULT_U32, UNIT_COUNTED } };
static const Field word_fields[] = { { "word", 0, GST_VYRE_RESULT_U32, UNIT_COUNTED } };

static const Field cell_fields[] = {
  { "count", VYRE_GRID_CELL_COUNT, GST_VYRE_RESULT_U32, UNIT_COUNTED },
  { "sum", VYRE_GRID_CELL_SUM, GST_VYRE_RESULT_U64, UNIT_VALUED },
};

/* A type: the fields of its structure, none of a number, and its words, those of an item where
 * they repeat; numbers may repeat, too */
typedef struct {
  const gchar *name;
  guint n_words;
  const Field *fields;
  guint n_fields;
  gboolean repeats; /* fields have the number of the item behind their name */
} Type;

#define N_TYPES (GST_VYRE_RESULT_GRID + 1)

static const Type types[N_TYPES] = {
  [GST_VYRE_RESULT_U32] = { "u32", 1 },
  [GST_VYRE_RESULT_U64] = { "u64", 2 },
  [GST_VYRE_RESULT_I32] = { "i32", 1 },
  [GST_VYRE_RESULT_I64] = { "i64", 2 },
  [GST_VYRE_RESULT_F32] = { "f32", 1 },
  [GST_VYRE_RESULT_F64] = { "f64", 2 },
  [GST_VYRE_RESULT_STATS] = { "stats", VYRE_U8_STATS_WORDS, stats_fields, 5 },
  [GST_VYRE_RESULT_DIFFERENCE] = { "difference", VYRE_DIFFERENCE_WORDS, stats_fields, 6 },
  [GST_VYRE_RESULT_AUDIO]
  = { "audio", VYRE_AUDIO_STATS_WORDS, audio_fields, G_N_ELEMENTS (audio_fields) },
  [GST_VYRE_RESULT_BOUNDS]
  = { "bounds", VYRE_BOUNDS_WORDS, bounds_fields, G_N_ELEMENTS (bounds_fields) },
  [GST_VYRE_RESULT_SSIM] = { "ssim", VYRE_SSIM_WORDS, ssim_fields, G_N_ELEMENTS (ssim_fields) },
  [GST_VYRE_RESULT_LOUD] = { "loud", VYRE_LOUD_WORDS, loud_fields, G_N_ELEMENTS (loud_fields) },
  [GST_VYRE_RESULT_HISTOGRAM] = { "histogram", 1, bin_fields, 1, TRUE },
  [GST_VYRE_RESULT_WORDS] = { "words", 1, word_fields, 1, TRUE },
  [GST_VYRE_RESULT_GRID]
  = { "grid", VYRE_GRID_CELL_WORDS, cell_fields, G_N_ELEMENTS (cell_fields), TRUE },
};

#define MOST_FIELDS G_N_ELEMENTS (audio_fields)

#define ITEM "item-"

static GQuark field_quarks[N_TYPES][MOST_FIELDS];

/* Before any table. */
void
gst_vyre_types_init (void)
{
  for (guint type = 0; type < N_TYPES; type++)
    for (guint i = 0; i < types[type].n_fields; i++)
      field_quarks[type][i] = g_quark_from_static_string (types[type].fields[i].name);
}

const gchar *
gst_vyre_types_get_name (GstVyreResultType type)
{
  return types[type].name;
}

gboolean
gst_vyre_types_find (const gchar *name, GstVyreResultType *type)
{
  for (guint i = 0; i < N_TYPES; i++)
    if (strcmp (types[i].name, name) == 0) {
      *type = (GstVyreResultType)i;
      return TRUE;
    }
  return FALSE;
}

/* TRUE for a type that exists, and that can have so many words. */
gboolean
gst_vyre_types_has_words (GstVyreResultType type, guint n_words)
{
  if ((guint)type >= N_TYPES || n_words == 0)
    return FALSE;
  gboolean may_repeat = types[type].repeats || types[type].n_fields == 0;
  return may_repeat ? n_words % types[type].n_words == 0 : n_words == types[type].n_words;
}

static guint64
types_read_pair (const guint32 *words)
{
  return words[0] | (guint64)words[1] << 32;
}

/* Sets a number: messages have integers of 64 bits, and doubles. */
static void
types_set_number (
    GstStructure *structure, GQuark name, GstVyreResultType type, const guint32 *words)
{
  gfloat single;
  gdouble real;

  switch (type) {
    case GST_VYRE_RESULT_U64:
      gst_vyre_fields_set_number (structure, name, types_read_pair (words));
      break;
    case GST_VYRE_RESULT_I32:
      gst_vyre_fields_set_signed (structure, name, (gint32)words[0]);
      break;
    case GST_VYRE_RESULT_I64:
      gst_vyre_fields_set_signed (structure, name, (gint64)types_read_pair (words));
      break;
    case GST_VYRE_RESULT_F32:
      memcpy (&single, words, sizeof single);
      gst_vyre_fields_set_real (structure, name, single);
      break;
    case GST_VYRE_RESULT_F64: {
      guint64 bits = types_read_pair (words);
      memcpy (&real, &bits, sizeof real);
      gst_vyre_fields_set_real (structure, name, real);
      break;
    }
    default:
      gst_vyre_fields_set_number (structure, name, words[0]);
  }
}

/* Sets the fields of an item: "bin-7" of the item 7, and "item-7" of an array of numbers. */
static void
types_set_item (GstStructure *fields, GstVyreResultType of, guint item, const guint32 *words)
{
  const Type *type = &types[of];

  if (type->n_fields == 0) {
    gchar name[32];
    g_snprintf (name, sizeof name, ITEM "%u", item);
    types_set_number (fields, g_quark_from_string (name), of, words);
  }
  for (guint i = 0; i < type->n_fields; i++) {
    const Field *field = &type->fields[i];
    gchar name[32];
    g_snprintf (name, sizeof name, "%s-%u", field->name, item);
    types_set_number (fields, g_quark_from_string (name), field->type, words + field->word);
  }
}

/* The quiet samples at the head and the tail of a channel, and the longest run of them. */
static void
types_read_quiet (const guint32 *words, guint32 *quiet)
{
  guint32 count = words[VYRE_LOUD_COUNT];
  VyreQuiet run = { 0, 0 };

  memset (quiet, 0, sizeof *quiet * N_QUIET_WORDS);
  quiet[QUIET_COUNT] = count;
  while (vyre_quiet_find (words, run.end, &run)) {
    guint32 samples = run.end - run.begin;
    if (run.begin == 0)
      quiet[QUIET_HEAD] = samples;
    if (run.end == count)
      quiet[QUIET_TAIL] = samples;
    quiet[QUIET_LONGEST] = MAX (quiet[QUIET_LONGEST], samples);
  }
}

/* Sets the field @name of @structure to what the words of @entry mean. */
void
gst_vyre_types_set (
    GstStructure *structure, GQuark name, const GstVyreEntry *entry, const guint32 *words)
{
  const Type *type = &types[entry->type];
  guint32 quiet[N_QUIET_WORDS];

  if (entry->type == GST_VYRE_RESULT_LOUD) {
    types_read_quiet (words, quiet);
    words = quiet;
  }
  if (type->n_fields == 0 && entry->n_words == type->n_words) {
    types_set_number (structure, name, entry->type, words);
    return;
  }
  GstStructure *fields = gst_structure_new_id_empty (name);
  if (type->repeats || type->n_fields == 0)
    for (guint item = 0; item < entry->n_words / type->n_words; item++)
      types_set_item (fields, entry->type, item, words + item * type->n_words);
  else
    for (guint i = 0; i < type->n_fields; i++)
      types_set_number (
          fields, field_quarks[entry->type][i], type->fields[i].type, words + type->fields[i].word);
  gst_vyre_fields_take (structure, name, fields);
}

/* Returns the field of this name, which may have the number of an item behind it. */
static const Field *
types_find_field (const Type *type, const gchar *name)
{
  for (guint i = 0; i < type->n_fields; i++) {
    gsize length = strlen (type->fields[i].name);
    if (strncmp (name, type->fields[i].name, length) == 0
        && name[length] == (type->repeats ? '-' : '\0'))
      return &type->fields[i];
  }
  return NULL;
}

/* Returns the unit of a number, or of a field of a structure; of an array itself that of its
 * numbers. */
gchar *
gst_vyre_types_dup_unit (const GstVyreEntry *entry, const gchar *field_name)
{
  const Type *type = &types[entry->type];
  UnitOf of = UNIT_COUNTED;

  if (!entry->units)
    return NULL;
  if (field_name && type->n_fields == 0) {
    of = g_str_has_prefix (field_name, ITEM) ? UNIT_COUNTED : UNIT_NONE;
  } else if (field_name) {
    const Field *field = types_find_field (type, field_name);
    of = field ? field->unit : UNIT_NONE;
  } else if (type->n_fields > 1) {
    of = UNIT_NONE;
  }
  g_auto (GStrv) units = g_strsplit (entry->units, " ", 2);
  if (of == UNIT_COUNTED)
    return g_strdup (units[0]);
  if (of == UNIT_NONE || !units[1])
    return NULL;
  return of == UNIT_SQUARED ? g_strconcat (units[1], "^2", NULL) : g_strdup (units[1]);
}
