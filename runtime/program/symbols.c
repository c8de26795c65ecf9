/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/symbols.h"

#include <string.h>

#include "kernel.h"

/* The regions that have the name of a component: of samples that are bytes side by side. */
#define FIRST_COMPONENT_REGION 5

static const char *const regions[VYRE_N_REGIONS]
    = { "payload", "plane0", "plane1", "plane2", "plane3", "luma", "u", "v" };

/* The first are regions, too, in the same order. */
static const char *const components[VYRE_N_COMPONENTS]
    = { "luma", "u", "v", "red", "green", "blue", "alpha" };

static const char *const fields[VYRE_N_NAMED_FIELDS]
    = { "offset", "width", "rows", "stride", "size" };

/* The symbols of no region, and how to get a stream that defines them. */
static const struct {
  const char *name;
  const char *fix;
} scalars[VYRE_N_SCALARS] = {
  { "width", "put videoconvert and video/x-raw,format=I420 in front" },
  { "height", "put videoconvert and video/x-raw,format=I420 in front" },
  { "planes", "put videoconvert and video/x-raw,format=I420 in front" },
  { "bits", "feed raw video (video/x-raw) or raw audio (audio/x-raw)" },
  { "rate", "feed raw audio: put audioconvert and audio/x-raw in front" },
  { "channels", "feed raw audio: put audioconvert and audio/x-raw in front" },
};

static gint
symbols_find_string (const char *const *strings, guint n_strings, const char *word, gsize length)
{
  for (guint i = 0; i < n_strings; i++) {
    if (strlen (strings[i]) == length && strncmp (strings[i], word, length) == 0)
      return (gint)i;
  }
  return -1;
}

/* The region of that name, or -1. */
gint
vyre_region_find (const char *word, gsize length)
{
  return symbols_find_string (regions, VYRE_N_REGIONS, word, length);
}

/* Finds a component by its name; -1 when there is none. */
gint
vyre_component_find (const char *word, gsize length)
{
  return symbols_find_string (components, VYRE_N_COMPONENTS, word, length);
}

/* Finds a channel by its name, "channel0" to "channel255"; -1 when there is none. */
gint
vyre_channel_find (const char *word, gsize length)
{
  const gsize digits = strlen ("channel");
  guint channel = 0;

  if (length <= digits || length > digits + 3 || strncmp (word, "channel", digits) != 0)
    return -1;
  for (gsize i = digits; i < length; i++) {
    if (!g_ascii_isdigit (word[i]))
      return -1;
    channel = 10 * channel + (guint)(word[i] - '0');
  }
  gboolean padded = word[digits] == '0' && length > digits + 1;
  return padded || channel >= VYRE_MAX_CHANNELS ? -1 : (gint)channel;
}

static gboolean
symbols_are_equal (const char *word, gsize length, const char *other)
{
  return length == strlen (other) && strncmp (word, other, length) == 0;
}

/* Finds the number that @field names of the region, component or channel in front of the dot; -1
 * when there is none. */
static gint
symbols_find_dotted (const char *word, gsize before, const char *field, gsize length)
{
  gint region = vyre_region_find (word, before), component = vyre_component_find (word, before);
  gint found = symbols_find_string (fields, VYRE_N_NAMED_FIELDS, field, length);

  gint channel = vyre_channel_find (word, before);
  if (component >= 0 && symbols_are_equal (field, length, "scale"))
    return VYRE_FIRST_COMPONENT + component * VYRE_N_COMPONENT_FIELDS + VYRE_COMPONENT_SCALE;
  if (channel >= 0 && symbols_are_equal (field, length, "full_scale"))
    return VYRE_FIRST_CHANNEL + channel * VYRE_N_CHANNEL_FIELDS + VYRE_CHANNEL_FULL_SCALE;
  return region < 0 || found < 0 ? -1 : region * VYRE_N_FIELDS + found;
}

/* The number of that name, such as "width" or "plane0.rows", or -1. */
gint
vyre_symbol_find (const char *word, gsize length)
{
  const char *dot = memchr (word, '.', length);

  if (dot) {
    gsize before = (gsize)(dot - word);
    return symbols_find_dotted (word, before, dot + 1, length - before - 1);
  }
  for (guint i = 0; i < G_N_ELEMENTS (scalars); i++) {
    if (strlen (scalars[i].name) == length && strncmp (scalars[i].name, word, length) == 0)
      return (gint)(VYRE_FIRST_SCALAR + i);
  }
  return -1;
}

gboolean
vyre_symbols_are_of_audio (const VyreSymbols *symbols)
{
  return symbols->defined[vyre_symbol_find ("channels", strlen ("channels"))];
}

/* The advice for a stream, which @is_audio or not, that does not define @symbol. */
const char *
vyre_symbol_fix (guint symbol, gboolean is_audio)
{
  const gint red = vyre_component_find ("red", strlen ("red"));
  const guint bits = (guint)vyre_symbol_find ("bits", strlen ("bits"));
  gboolean is_of_video
      = symbol < bits || (symbol >= VYRE_FIRST_COMPONENT && symbol < VYRE_FIRST_CHANNEL);

  if (is_audio && is_of_video)
    return "feed raw video, measure channels, as builtin:audio-qc does";
  if (symbol >= VYRE_FIRST_PAIRED)
    return "link a second stream to reference of vyrefilter, with the same caps";
  if (symbol >= VYRE_FIRST_CHANNEL)
    return "feed raw audio (audio/x-raw) that has this channel, in integers or F32";
  if (symbol >= VYRE_FIRST_COMPONENT + (guint)red * VYRE_N_COMPONENT_FIELDS)
    return "put videoconvert and video/x-raw,format=RGBA in front";
  return symbol < VYRE_FIRST_SCALAR || symbol >= VYRE_FIRST_COMPONENT
             ? scalars[0].fix
             : scalars[symbol - VYRE_FIRST_SCALAR].fix;
}

/* Says which field the first row of the region or component with @offset is of. */
static void
symbols_define_bottom (VyreSymbols *symbols, guint offset, gboolean bottom)
{
  G_STATIC_ASSERT ((gint)VYRE_FIELD_BOTTOM == (gint)VYRE_COMPONENT_BOTTOM && VYRE_FIELD_OFFSET == 0
                   && VYRE_COMPONENT_OFFSET == 0);
  symbols->numbers[VYRE_BOTTOM_OF (offset)] = bottom;
  symbols->defined[VYRE_BOTTOM_OF (offset)] = TRUE;
}

static void
symbols_define_component (VyreSymbols *symbols, guint component, guint field, guint32 value)
{
  guint symbol = VYRE_FIRST_COMPONENT + component * VYRE_N_COMPONENT_FIELDS + field;

  symbols->numbers[symbol] = value;
  symbols->defined[symbol] = TRUE;
  if (field == VYRE_COMPONENT_OFFSET)
    symbols_define_bottom (symbols, symbol, FALSE);
}

static void
symbols_define_samples (VyreSymbols *symbols, guint component, guint32 samples)
{
  guint depth = VYRE_SAMPLES_DEPTH (samples);

  symbols_define_component (symbols, component, VYRE_COMPONENT_SAMPLES, samples);
  symbols_define_component (
      symbols, component, VYRE_COMPONENT_SCALE, depth > 8 ? 1u << (depth - 8) : 1);
}

/* Defines a number that is none of a component. A region that has the name of a component is one of
 * its samples. */
static void
symbols_define (VyreSymbols *symbols, guint symbol, guint32 value)
{
  guint region = symbol / VYRE_N_FIELDS, field = symbol % VYRE_N_FIELDS;

  symbols->numbers[symbol] = value;
  symbols->defined[symbol] = TRUE;
  if (symbol < VYRE_FIRST_SCALAR && field == VYRE_FIELD_OFFSET)
    symbols_define_bottom (symbols, symbol, FALSE);
  if (symbol >= VYRE_FIRST_SCALAR || region < FIRST_COMPONENT_REGION || field > VYRE_FIELD_STRIDE)
    return;
  guint component = region - FIRST_COMPONENT_REGION;
  G_STATIC_ASSERT ((gint)VYRE_COMPONENT_STRIDE == (gint)VYRE_FIELD_STRIDE);
  symbols_define_component (symbols, component, field, value);
  symbols_define_samples (symbols, component, VYRE_SAMPLES_ARE_BYTES);
}

/* Bytes from the first to the last of a region: the last row has no padding. */
static guint64
symbols_region_size (const VyreRegion *region)
{
  if (region->rows == 0 || region->width == 0)
    return 0;
  return (guint64)region->stride * (region->rows - 1) + region->width;
}

/* Gives all numbers of a region a value. */
void
vyre_symbols_define_region (VyreSymbols *symbols, guint region, const VyreRegion *geometry)
{
  guint first = region * VYRE_N_FIELDS;

  symbols_define (symbols, first + VYRE_FIELD_OFFSET, geometry->offset);
  symbols_define (symbols, first + VYRE_FIELD_WIDTH, geometry->width);
  symbols_define (symbols, first + VYRE_FIELD_ROWS, geometry->rows);
  symbols_define (symbols, first + VYRE_FIELD_STRIDE, geometry->stride);
  symbols_define (symbols, first + VYRE_FIELD_SIZE, (guint32)symbols_region_size (geometry));
}

VyreSymbols *
vyre_symbols_new (void)
{
  return g_new0 (VyreSymbols, 1);
}

VyreSymbols *
vyre_symbols_copy (const VyreSymbols *symbols)
{
  if (!symbols)
    return NULL;
  VyreSymbols *copy = vyre_symbols_new ();
  *copy = *symbols;
  copy->stream = g_strdup (symbols->stream);
  return copy;
}

void
vyre_symbols_free (VyreSymbols *symbols)
{
  if (symbols)
    g_free (symbols->stream);
  g_free (symbols);
}

void
vyre_symbols_set (VyreSymbols *symbols, const char *symbol, guint32 value)
{
  g_return_if_fail (symbols);
  g_return_if_fail (symbol);
  gint found = vyre_symbol_find (symbol, strlen (symbol));
  g_return_if_fail (found >= 0);
  g_return_if_fail (found / VYRE_N_FIELDS != VYRE_REGION_PAYLOAD && found < VYRE_FIRST_COMPONENT);
  symbols_define (symbols, (guint)found, value);
}

void
vyre_symbols_set_region (VyreSymbols *symbols, const char *symbol, const VyreRegion *region)
{
  g_return_if_fail (symbols);
  g_return_if_fail (symbol);
  g_return_if_fail (region);
  gint found = vyre_region_find (symbol, strlen (symbol));
  g_return_if_fail (found >= 0 && found != VYRE_REGION_PAYLOAD);
  g_return_if_fail (symbols_region_size (region) <= G_MAXUINT32);
  vyre_symbols_define_region (symbols, (guint)found, region);
}

void
vyre_symbols_set_component (
    VyreSymbols *symbols, const char *component, const VyreRegion *region, guint32 samples)
{
  g_return_if_fail (symbols);
  g_return_if_fail (component);
  g_return_if_fail (region);
  gint found = vyre_component_find (component, strlen (component));
  g_return_if_fail (found >= 0);
  g_return_if_fail (VYRE_SAMPLES_FIT (samples));
  g_return_if_fail (symbols_region_size (region) <= G_MAXUINT32);
  guint c = (guint)found;
  if (samples == VYRE_SAMPLES_ARE_BYTES && FIRST_COMPONENT_REGION + c < VYRE_N_REGIONS)
    vyre_symbols_define_region (symbols, FIRST_COMPONENT_REGION + c, region);
  symbols_define_component (symbols, c, VYRE_COMPONENT_OFFSET, region->offset);
  symbols_define_component (symbols, c, VYRE_COMPONENT_WIDTH, region->width);
  symbols_define_component (symbols, c, VYRE_COMPONENT_ROWS, region->rows);
  symbols_define_component (symbols, c, VYRE_COMPONENT_STRIDE, region->stride);
  symbols_define_samples (symbols, c, samples);
}

void
vyre_symbols_set_bottom (VyreSymbols *symbols, const char *name, gboolean bottom)
{
  g_return_if_fail (symbols);
  g_return_if_fail (name);
  gint region = vyre_region_find (name, strlen (name));
  gint component = vyre_component_find (name, strlen (name));
  g_return_if_fail (region > VYRE_REGION_PAYLOAD || component >= 0);
  if (region >= 0)
    symbols_define_bottom (symbols, (guint)region * VYRE_N_FIELDS, bottom);
  if (component >= 0)
    symbols_define_bottom (
        symbols, VYRE_FIRST_COMPONENT + (guint)component * VYRE_N_COMPONENT_FIELDS, bottom);
}

void
vyre_symbols_set_channel (
    VyreSymbols *symbols, guint channel, guint32 offset, guint32 length, guint32 samples)
{
  g_return_if_fail (symbols);
  g_return_if_fail (channel < VYRE_MAX_CHANNELS);
  g_return_if_fail (VYRE_AUDIO_FIT (samples));
  const guint32 numbers[VYRE_N_CHANNEL_FIELDS] = {
    [VYRE_CHANNEL_OFFSET] = offset,
    [VYRE_CHANNEL_LENGTH] = length,
    [VYRE_CHANNEL_SAMPLES] = samples,
    [VYRE_CHANNEL_FULL_SCALE] = 1u << VYRE_AUDIO_FULL_SCALE_BITS (samples),
  };
  for (guint field = 0; field < VYRE_N_CHANNEL_FIELDS; field++) {
    guint symbol = VYRE_FIRST_CHANNEL + channel * VYRE_N_CHANNEL_FIELDS + field;
    symbols->numbers[symbol] = numbers[field];
    symbols->defined[symbol] = TRUE;
  }
}

/* Defines the number that @symbol of the paired buffer is. */
static void
symbols_define_paired (VyreSymbols *symbols, guint symbol, guint32 value)
{
  symbols->numbers[VYRE_FIRST_PAIRED + symbol] = value;
  symbols->defined[VYRE_FIRST_PAIRED + symbol] = TRUE;
}

/* TRUE if @symbol is the offset of a region or component. */
static gboolean
symbols_is_offset (guint symbol)
{
  return symbol < VYRE_FIRST_SCALAR
             ? symbol % VYRE_N_FIELDS == VYRE_FIELD_OFFSET
             : symbol >= VYRE_FIRST_COMPONENT
                   && (symbol - VYRE_FIRST_COMPONENT) % VYRE_N_COMPONENT_FIELDS
                          == VYRE_COMPONENT_OFFSET;
}

void
vyre_symbols_set_paired (
    VyreSymbols *symbols, const VyreSymbols *paired, guint32 offset, guint32 size)
{
  g_return_if_fail (symbols);
  g_return_if_fail (size <= G_MAXUINT32 - offset);
  memset (symbols->defined + VYRE_FIRST_PAIRED, 0, VYRE_FIRST_CHANNEL * sizeof (gboolean));
  symbols->paired_size = size;
  for (guint symbol = 0; paired && symbol < VYRE_FIRST_CHANNEL; symbol++) {
    if (paired->defined[symbol])
      symbols_define_paired (
          symbols, symbol, paired->numbers[symbol] + (symbols_is_offset (symbol) ? offset : 0));
  }
  if (!paired)
    return;
  const guint payload = VYRE_REGION_PAYLOAD * VYRE_N_FIELDS;
  symbols_define_paired (symbols, payload + VYRE_FIELD_OFFSET, offset);
  symbols_define_paired (symbols, payload + VYRE_FIELD_WIDTH, size);
  symbols_define_paired (symbols, payload + VYRE_FIELD_ROWS, 1);
  symbols_define_paired (symbols, payload + VYRE_FIELD_STRIDE, size);
}

void
vyre_symbols_set_stream (VyreSymbols *symbols, const char *stream)
{
  g_return_if_fail (symbols);
  g_free (symbols->stream);
  symbols->stream = g_strdup (stream);
}
