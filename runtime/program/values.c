/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The words of values of results, which conditions compare. Fields have the names that
 * they have in messages.
 */
#include "program/statements.h"

#include <string.h>

/* A field of a result. One with a stride is an array's: a number follows its name. */
typedef struct {
  VyreResultType type;
  const char *name;
  guint32 word;
  guint32 n_words;
  gboolean is_signed;
  guint32 stride;
} Field;

static const Field value_fields[] = {
  { VYRE_RESULT_STATS, "count", VYRE_U8_STATS_COUNT, 1, FALSE, 0 },
  { VYRE_RESULT_STATS, "min", VYRE_U8_STATS_MIN, 1, FALSE, 0 },
  { VYRE_RESULT_STATS, "max", VYRE_U8_STATS_MAX, 1, FALSE, 0 },
  { VYRE_RESULT_STATS, "sum", VYRE_U8_STATS_SUM, 2, FALSE, 0 },
  { VYRE_RESULT_STATS, "sum-squares", VYRE_U8_STATS_SUM_SQUARES, 2, FALSE, 0 },
  { VYRE_RESULT_DIFFERENCE, "count", VYRE_U8_STATS_COUNT, 1, FALSE, 0 },
  { VYRE_RESULT_DIFFERENCE, "min", VYRE_U8_STATS_MIN, 1, FALSE, 0 },
  { VYRE_RESULT_DIFFERENCE, "max", VYRE_U8_STATS_MAX, 1, FALSE, 0 },
  { VYRE_RESULT_DIFFERENCE, "sum", VYRE_U8_STATS_SUM, 2, FALSE, 0 },
  { VYRE_RESULT_DIFFERENCE, "sum-squares", VYRE_U8_STATS_SUM_SQUARES, 2, FALSE, 0 },
  { VYRE_RESULT_DIFFERENCE, "above", VYRE_DIFFERENCE_ABOVE, 1, FALSE, 0 },
  { VYRE_RESULT_AUDIO, "count", VYRE_AUDIO_STATS_COUNT, 1, FALSE, 0 },
  { VYRE_RESULT_AUDIO, "min", VYRE_AUDIO_STATS_MIN, 1, TRUE, 0 },
  { VYRE_RESULT_AUDIO, "max", VYRE_AUDIO_STATS_MAX, 1, TRUE, 0 },
  { VYRE_RESULT_AUDIO, "peak", VYRE_AUDIO_STATS_PEAK, 1, FALSE, 0 },
  { VYRE_RESULT_AUDIO, "sum", VYRE_AUDIO_STATS_SUM, 2, TRUE, 0 },
  { VYRE_RESULT_AUDIO, "sum-squares", VYRE_AUDIO_STATS_SUM_SQUARES, 3, FALSE, 0 },
  { VYRE_RESULT_AUDIO, "clipped", VYRE_AUDIO_STATS_CLIPPED, 1, FALSE, 0 },
  { VYRE_RESULT_AUDIO, "zero-crossings", VYRE_AUDIO_STATS_CROSSINGS, 1, FALSE, 0 },
  { VYRE_RESULT_AUDIO, "nans", VYRE_AUDIO_STATS_NANS, 1, FALSE, 0 },
  { VYRE_RESULT_AUDIO, "full-scale", VYRE_AUDIO_STATS_FULL_SCALE, 1, FALSE, 0 },
  { VYRE_RESULT_LOUD, "count", VYRE_LOUD_COUNT, 1, FALSE, 0 },
  { VYRE_RESULT_BOUNDS, "count", VYRE_BOUNDS_COUNT, 1, FALSE, 0 },
  { VYRE_RESULT_BOUNDS, "begin", VYRE_BOUNDS_BEGIN, 1, FALSE, 0 },
  { VYRE_RESULT_BOUNDS, "end", VYRE_BOUNDS_END, 1, FALSE, 0 },
  { VYRE_RESULT_GRID, "count-", VYRE_GRID_CELL_COUNT, 1, FALSE, VYRE_GRID_CELL_WORDS },
  { VYRE_RESULT_GRID, "sum-", VYRE_GRID_CELL_SUM, 2, FALSE, VYRE_GRID_CELL_WORDS },
  { VYRE_RESULT_SSIM, "count", VYRE_SSIM_COUNT, 1, FALSE, 0 },
  { VYRE_RESULT_SSIM, "sum", VYRE_SSIM_SUM, 2, TRUE, 0 },
  { VYRE_RESULT_HISTOGRAM, "bin-", 0, 1, FALSE, 1 },
  { VYRE_RESULT_WORDS, "word-", 0, 1, FALSE, 1 },
  { VYRE_RESULT_U32, "item-", 0, 1, FALSE, 1 },
  { VYRE_RESULT_U64, "item-", 0, 2, FALSE, 2 },
  { VYRE_RESULT_I32, "item-", 0, 1, TRUE, 1 },
  { VYRE_RESULT_I64, "item-", 0, 2, TRUE, 2 },
};

/* The index behind the name of an array's field, of which there are @n; -1 for none. */
static gint
value_find_index (const Field *field, const char *name, guint32 n)
{
  gsize length = strlen (field->name);
  guint64 index;

  if (strncmp (name, field->name, length) != 0
      || !g_ascii_string_to_unsigned (name + length, 10, 0, (guint64)n - 1, &index, NULL)
      || (name[length] == '0' && name[length + 1] != '\0'))
    return -1;
  return (gint)index;
}

/* Finds the words of the field of a result; FALSE when it has no such field. */
static gboolean
value_find_field (const VyreName *name, VyreValue *value)
{
  for (guint i = 0; i < G_N_ELEMENTS (value_fields); i++) {
    const Field *field = &value_fields[i];
    gint index = 0;

    if (field->type != name->type)
      continue;
    if (field->stride > 0)
      index = value_find_index (field, value->field, name->words / field->stride);
    else if (!g_str_equal (field->name, value->field))
      continue;
    if (index < 0)
      continue;
    value->word = field->word + (guint32)index * field->stride;
    value->n_words = field->n_words;
    value->is_signed = field->is_signed;
    return TRUE;
  }
  return FALSE;
}

/* Fails because a result has several numbers, and the value names none of them. */
static gboolean
value_fail_field (VyreParser *parser, const VyreName *name, const VyreValue *value)
{
  g_autoptr (GString) list = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (value_fields); i++) {
    const Field *field = &value_fields[i];

    if (field->type != name->type)
      continue;
    g_string_append_printf (list, "%s.%s", list->len > 0 ? ", " : "", field->name);
    if (field->stride > 0)
      g_string_append_printf (list, "0 to %u", name->words / field->stride - 1);
  }
  return vyre_parser_fail (parser, value->offset,
      "the result '%.40s' has several numbers. Fix: append one of %s.", name->name, list->str);
}

/* The words of a number of this type; 0 for a type that is none. */
static guint
value_count_words (VyreResultType type)
{
  switch (type) {
    case VYRE_RESULT_U32:
    case VYRE_RESULT_I32:
      return 1;
    case VYRE_RESULT_U64:
    case VYRE_RESULT_I64:
      return 2;
    default:
      return 0;
  }
}

/* Finds the words of a value, whose result is defined. */
gboolean
vyre_parser_resolve_value (VyreParser *parser, VyreValue *value)
{
  const VyreName *name = &g_array_index (parser->program->names, VyreName, value->name);

  if (name->type == VYRE_RESULT_F32 || name->type == VYRE_RESULT_F64)
    return vyre_parser_fail (parser, value->offset,
        "the result '%.40s' is a floating-point number, and values are integers. Fix: let the "
        "application decide, or declare an integer.",
        name->name);
  if (name->words == value_count_words (name->type) && value->field)
    return vyre_parser_fail (parser, value->offset,
        "the result '%.40s' is one number. Fix: write '$%.40s'.", name->name, name->name);
  value->n_words = name->words;
  value->is_signed = name->is_signed;
  gboolean is_number = name->words == value_count_words (name->type)
                       || (name->type == VYRE_RESULT_WORDS && name->words == 2);
  if (value->field ? !value_find_field (name, value) : !is_number)
    return value_fail_field (parser, name, value);
  return TRUE;
}

/* Finds, behind the whole text, the words of all values. */
gboolean
vyre_parser_check_values (VyreParser *parser)
{
  GArray *values = parser->program->values;

  for (guint i = 0; i < values->len; i++) {
    if (!vyre_parser_resolve_value (parser, &g_array_index (values, VyreValue, i)))
      return FALSE;
  }
  return TRUE;
}
