/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/gstvyrechannels.h"

#include "kernel.h"

static gboolean
channels_are_planes (const GstVyreChannels *channels)
{
  return GST_AUDIO_INFO_LAYOUT (&channels->info) == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
}

static gsize
channels_sample_bytes (const GstVyreChannels *channels)
{
  return (gsize)GST_AUDIO_INFO_WIDTH (&channels->info) / 8;
}

/* Returns how the samples of a channel lie, or 0 if no opcode reads such: doubles, and frames of 64
 * KiB and more. */
static guint32
channels_describe (const GstVyreChannels *channels)
{
  const GstAudioFormatInfo *format = channels->info.finfo;
  guint32 bytes = (guint32)channels_sample_bytes (channels);
  guint32 apart
      = channels_are_planes (channels) ? bytes : (guint32)GST_AUDIO_INFO_BPF (&channels->info);
  guint32 swapped = GST_AUDIO_FORMAT_INFO_ENDIANNESS (format) == G_BIG_ENDIAN;
  guint32 kind = GST_AUDIO_FORMAT_INFO_IS_FLOAT (format)    ? VYRE_AUDIO_FLOAT
                 : GST_AUDIO_FORMAT_INFO_IS_SIGNED (format) ? VYRE_AUDIO_SIGNED
                                                            : VYRE_AUDIO_UNSIGNED;

  if (bytes > 4 || apart > G_MAXUINT16)
    return 0;
  guint32 samples
      = VYRE_AUDIO (apart, bytes, swapped, kind, (guint32)GST_AUDIO_FORMAT_INFO_DEPTH (format));
  return VYRE_AUDIO_FIT (samples) ? samples : 0;
}

static void
channels_bind (const GstVyreChannels *channels, VyreSymbols *symbols)
{
  for (guint c = 0; c < channels->n; c++)
    vyre_symbols_set_channel (symbols, c, channels->offset[c], channels->length, channels->samples);
}

/* Defines channels without a sample: those of a buffer come with it. */
void
gst_vyre_channels_set_caps (
    GstVyreChannels *channels, VyreSymbols *symbols, const GstAudioInfo *info)
{
  *channels = (GstVyreChannels){ .info = *info };
  channels->samples = channels_describe (channels);
  if (channels->samples != 0)
    channels->n = MIN ((guint)GST_AUDIO_INFO_CHANNELS (info), VYRE_MAX_CHANNELS);
  channels_bind (channels, symbols);
}

/* Checks that the planes of @meta lie in a buffer of @size bytes. */
static gboolean
channels_check_meta (
    const GstVyreChannels *channels, const GstAudioMeta *meta, gsize size, GError **error)
{
  gsize bytes = channels_sample_bytes (channels);

  if (!meta->offsets || (guint)GST_AUDIO_INFO_CHANNELS (&meta->info) < channels->n) {
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "A buffer's GstAudioMeta has %d channels%s, its caps have %d in planes. Fix: correct the "
        "element in front.",
        GST_AUDIO_INFO_CHANNELS (&meta->info), meta->offsets ? "" : " without planes",
        GST_AUDIO_INFO_CHANNELS (&channels->info));
    return FALSE;
  }
  for (guint c = 0; c < channels->n; c++) {
    if (meta->samples <= size / bytes && meta->offsets[c] <= size - meta->samples * bytes)
      continue;
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_TOO_LARGE,
        "Channel %u of a buffer, %" G_GSIZE_FORMAT " samples at offset %" G_GSIZE_FORMAT
        ", does not lie in the buffer's %" G_GSIZE_FORMAT
        " bytes. Fix: correct the GstAudioMeta of the element in front.",
        c, meta->samples, meta->offsets[c], size);
    return FALSE;
  }
  return TRUE;
}

/* Takes over where the channels lie; returns whether that differs from the last buffer. */
static gboolean
channels_place (GstVyreChannels *channels, const GstAudioMeta *meta, gsize frames)
{
  gsize bytes = channels_sample_bytes (channels);
  gsize apart = VYRE_AUDIO_APART (channels->samples);
  guint32 length = (guint32)(frames > 0 ? (frames - 1) * apart + bytes : 0);
  gboolean changed = length != channels->length;

  channels->length = length;
  for (guint c = 0; c < channels->n; c++) {
    gsize offset = c * (channels_are_planes (channels) ? frames * bytes : bytes);
    guint32 place = (guint32)(meta ? meta->offsets[c] : offset);
    changed |= place != channels->offset[c];
    channels->offset[c] = place;
  }
  return changed;
}

/* Binds the channels as they lie in @buffer, unless the last buffer had the same layout. Bytes of a
 * frame that a buffer does not have in full belong to no channel. */
gboolean
gst_vyre_channels_follow (GstVyreChannels *channels, VyreSymbols *symbols, GstBuffer *buffer,
    gboolean *changed, GError **error)
{
  const GstAudioMeta *meta
      = channels_are_planes (channels) ? gst_buffer_get_audio_meta (buffer) : NULL;
  gsize size = gst_buffer_get_size (buffer);

  if (meta && !channels_check_meta (channels, meta, size, error))
    return FALSE;
  *changed = channels_place (
      channels, meta, meta ? meta->samples : size / (gsize)GST_AUDIO_INFO_BPF (&channels->info));
  if (*changed)
    channels_bind (channels, symbols);
  return TRUE;
}
