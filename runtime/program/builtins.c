/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/statements.h"
#include "program/lookalike.h"

#include <string.h>

/* The most bytes of a name that a message shows. */
#define QUOTE_MAX 40

/* Y'CbCr video: the counts of signalstats, and of black frames, freezes, cuts and borders */
#define VIDEO_QC                                                                                   \
  "param black_threshold = 0.10\n"                                                                 \
  "param black_ratio = 0.98\n"                                                                     \
  "param black_time = 2\n"                                                                         \
  "param border = 24\n"                                                                            \
  "param border_round = 16\n"                                                                      \
  "param border_skip = 2\n"                                                                        \
  "param border_reset = 0\n"                                                                       \
  "param border_time = 2\n"                                                                        \
  "param freeze_noise = 0.001\n"                                                                   \
  "param freeze_time = 2\n"                                                                        \
  "param freeze_black = 1\n"                                                                       \
  "param cut = 10\n"                                                                               \
  "param cut_end = 10\n"                                                                           \
  "param cut_distance = 0\n"                                                                       \
  "let levels = 256 * luma.scale\n"                                                                \
  "let limit = (border * (levels - 1) + 127.5) / 255\n"                                            \
  "sample_stats luma -> luma\n"                                                                    \
  "optional sample_stats u -> u\n"                                                                 \
  "optional sample_stats v -> v\n"                                                                 \
  "sample_histogram luma -> luma-histogram\n"                                                      \
  "optional sample_histogram u -> u-histogram\n"                                                   \
  "optional sample_histogram v -> v-histogram\n"                                                   \
  "optional sample_saturation u, v -> saturation\n"                                                \
  "optional sample_hue u, v -> hue\n"                                                              \
  "sample_difference luma, previous(luma), 0 -> luma-difference\n"                                 \
  "state luma-difference-before from $luma-difference.sum\n"                                       \
  "optional sample_difference u, previous(u), 0 -> u-difference\n"                                 \
  "optional sample_difference v, previous(v), 0 -> v-difference\n"                                 \
  "sample_difference luma, reference(luma), 0 -> luma-change\n"                                    \
  "optional sample_difference u, reference(u), 0 -> u-change\n"                                    \
  "optional sample_difference v, reference(v), 0 -> v-change\n"                                    \
  "optional sample_difference alpha, reference(alpha), 0 -> alpha-change\n"                        \
  "sample_outliers luma, 4 -> outliers\n"                                                          \
  "sample_repeats luma, 4, 1 -> repeats\n"                                                         \
  "optional sample_range luma, u, v -> out-of-range\n"                                             \
  "sample_below luma, (16 + 219 * black_threshold) * luma.scale + 1 -> black\n"                    \
  "sample_rows luma, limit -> rows\n"                                                              \
  "sample_columns luma, limit -> columns\n"                                                        \
  "event black when $black >= black_ratio * $luma.count for black_time s\n"                        \
  "keep reference when $luma-change.sum + optional $u-change.sum"                                  \
  " + optional $v-change.sum + optional $alpha-change.sum"                                         \
  " <= freeze_noise * levels * ($luma-change.count + optional $u-change.count"                     \
  " + optional $v-change.count + optional $alpha-change.count)"                                    \
  " and $black < (black_ratio + 2 * freeze_black) * $luma.count\n"                                 \
  "event freeze when reference stays for freeze_time s\n" /* two numbers are so far apart where    \
                                                             the square of their difference is */  \
  "let change = 100 * ($luma-difference.sum - $luma-difference-before)\n"                          \
  "let least = cut * levels * $luma-difference.count\n"                                            \
  "let least_end = cut_end * levels * $luma-difference.count\n"                                    \
  "let far = min(1, max(0, $cut-age + 1 - cut_distance))"                                          \
  " * min(1, 100 * $luma-difference.sum / max(1, least))"                                          \
  " * min(1, change * change / max(1, least * least))\n"                                           \
  "state cut-age from $cut-age * (1 - far) + 1\n"                                                  \
  "event cut when $luma-difference.count > 0 and $cut-age >= cut_distance"                         \
  " and 100 * $luma-difference.sum >= least and change * change >= least * least"                  \
  " while 100 * $luma-difference.sum >= least_end"                                                 \
  " and change * change >= least_end * least_end\n" /* The edges of all pictures so far, the upper \
                                                     * and the left one counted from the other     \
                                                     * side: each only grows, from 0. A switch is                                                                   \
                                                     * 0 or 1. */                                  \
  "let counted = min(1, max(0, $border-frames + 1 - border_skip))\n"                               \
  "let anew = min(1, border_reset)"                                                                \
  " * min(1, max(0, $border-frames + 1 - border_skip - border_reset))\n"                           \
  "let top = height - 1 - max($border-top * (1 - anew),"                                           \
  " counted * (height - 1 - min($rows.begin, height - 1)))\n"                                      \
  "let bottom = max($border-bottom * (1 - anew),"                                                  \
  " counted * ($rows.end - 1) * min(1, max(0, $rows.end - 1 - top)))\n"                            \
  "let left = width - 1 - max($border-left * (1 - anew),"                                          \
  " counted * (width - 1 - min($columns.begin, width - 1)))\n"                                     \
  "let right = max($border-right * (1 - anew),"                                                    \
  " counted * ($columns.end - 1) * min(1, max(0, $columns.end - 1 - left)))\n"                     \
  "state border-frames from ($border-frames + 1) * (1 - anew) + (border_skip + 1) * anew\n"        \
  "state border-top from height - 1 - top\n"                                                       \
  "state border-bottom from bottom\n"                                                              \
  "state border-left from width - 1 - left\n"                                                      \
  "state border-right from right\n" /* the crop starts and ends with whole samples of chroma */    \
  "let crop_x = (left + 1) / 2 * 2\n"                                                              \
  "let crop_y = (top + 1) / 2 * 2\n"                                                               \
  "let crop_width = right - crop_x + 1\n"                                                          \
  "let crop_height = bottom - crop_y + 1\n"                                                        \
  "event borders when crop_width >= border_round and crop_height >= border_round"                  \
  " and left + top + width - 1 - right + height - 1 - bottom > 0"                                  \
  " with x = crop_x + (crop_width % border_round / 2 + 1) / 2 * 2,"                                \
  " y = crop_y + (crop_height % border_round / 2 + 1) / 2 * 2,"                                    \
  " width = crop_width / border_round * border_round,"                                             \
  " height = crop_height / border_round * border_round"                                            \
  " for border_time s\n"

/* The names of builtin_texts, in the same order. */
static const char *const builtin_names[] = { "frame-stats", "field-stats", "rgb-stats", "video-qc",
  "audio-qc", "compare", "scope", "bytes", "nop", NULL };

static const char *const builtin_texts[] = {
  /* Y'CbCr video: exposure and colour balance; gray video has no u and v. */
  ("param black = 17\n"
   "sample_stats luma -> luma\n"
   "optional sample_stats u -> u\n"
   "optional sample_stats v -> v\n"
   "sample_below luma, black * luma.scale -> black\n"),
  /* interlaced Y'CbCr video: the same of the frame and of both of its fields */
  ("param black = 17\n"
   "sample_stats luma -> luma\n"
   "optional sample_stats u -> u\n"
   "optional sample_stats v -> v\n"
   "sample_below luma, black * luma.scale -> black\n"
   "sample_stats top(luma) -> top-luma\n"
   "optional sample_stats top(u) -> top-u\n"
   "optional sample_stats top(v) -> top-v\n"
   "sample_below top(luma), black * luma.scale -> top-black\n"
   "sample_stats bottom(luma) -> bottom-luma\n"
   "optional sample_stats bottom(u) -> bottom-u\n"
   "optional sample_stats bottom(v) -> bottom-v\n"
   "sample_below bottom(luma), black * luma.scale -> bottom-black\n"),
  /* RGB video: the same of its components; most formats have no alpha */
  ("sample_stats red -> red\n"
   "sample_stats green -> green\n"
   "sample_stats blue -> blue\n"
   "optional sample_stats alpha -> alpha\n"),
  VIDEO_QC,
  /* raw audio: levels, clipping and zero crossings of the first 8 channels, and where all of them
   * are quiet; a stream of more has no silence, which would not be that of all */
  ("param silence_noise = 0.001\n"
   "param silence_time = 2\n"
   "audio_stats channel0 -> channel-0\n"
   "optional audio_stats channel1 -> channel-1\n"
   "optional audio_stats channel2 -> channel-2\n"
   "optional audio_stats channel3 -> channel-3\n"
   "optional audio_stats channel4 -> channel-4\n"
   "optional audio_stats channel5 -> channel-5\n"
   "optional audio_stats channel6 -> channel-6\n"
   "optional audio_stats channel7 -> channel-7\n"
   /* the limit of silencedetect: that of a sample of 16 bits, or of 32 where there are more, has no
    * fraction */
   "let range = 32768 + min(1, channel0.full_scale / 65536) * 2147450880\n"
   "let step = range / channel0.full_scale\n"
   "let loud = (silence_noise * (range - 1) / 1 + step - 1) / step\n"
   "audio_loud channel0, loud -> loud\n"
   "optional audio_loud channel1, loud -> (&loud - 160)\n"
   "optional audio_loud channel2, loud -> (&loud - 160)\n"
   "optional audio_loud channel3, loud -> (&loud - 160)\n"
   "optional audio_loud channel4, loud -> (&loud - 160)\n"
   "optional audio_loud channel5, loud -> (&loud - 160)\n"
   "optional audio_loud channel6, loud -> (&loud - 160)\n"
   "optional audio_loud channel7, loud -> (&loud - 160)\n"
   "event silence when quiet $loud at rate and channels <= 8 for silence_time s\n"
   "event clipping when $channel-0.clipped + optional $channel-1.clipped"
   " + optional $channel-2.clipped + optional $channel-3.clipped"
   " + optional $channel-4.clipped + optional $channel-5.clipped"
   " + optional $channel-6.clipped + optional $channel-7.clipped > 0\n"),
  /* two Y'CbCr streams: the counts of psnr and ssim */
  ("sample_difference luma, paired(luma), 0 -> luma-difference\n"
   "optional sample_difference u, paired(u), 0 -> u-difference\n"
   "optional sample_difference v, paired(v), 0 -> v-difference\n"
   "sample_ssim luma, paired(luma) -> luma-ssim\n"
   "optional sample_ssim u, paired(u) -> u-ssim\n"
   "optional sample_ssim v, paired(v) -> v-ssim\n"),
  /* Y'CbCr video: that of video-qc, and what a vectorscope draws */
  VIDEO_QC "optional sample_joint u, v -> chroma\n",
  /* any payload: the distribution of its bytes and a checksum */
  ("u8_histogram payload -> histogram\n"
   "crc32 payload -> crc32\n"),
  /* no work: the price of a batch alone */
  "nop\n",
};

G_STATIC_ASSERT (G_N_ELEMENTS (builtin_names) == G_N_ELEMENTS (builtin_texts) + 1);

/* The text of a built-in program, or NULL. */
const char *
vyre_builtin_text (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (builtin_texts); i++) {
    if (g_str_equal (builtin_names[i], name))
      return builtin_texts[i];
  }
  return NULL;
}

const char *const *
vyre_program_list_builtins (void)
{
  return builtin_names;
}

VyreProgram *
vyre_program_builtin (const char *name, GError **error)
{
  g_return_val_if_fail (name, NULL);
  g_return_val_if_fail (!error || !*error, NULL);
  const char *text = vyre_builtin_text (name);
  if (!text) {
    g_autofree char *list = g_strjoinv (", ", (char **)builtin_names);
    g_autofree char *shown = g_utf8_make_valid (name, (gssize)MIN (strlen (name), QUOTE_MAX));

    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "There is no built-in program '%s'. Fix: use one of %s.", shown, list);
    return NULL;
  }
  g_autofree char *id = g_strconcat ("builtin:", name, NULL);
  return vyre_program_new_from_text (text, id, error);
}

VyreProgram *
vyre_program_from_string (const char *program, GError **error)
{
  g_return_val_if_fail (program, NULL);
  g_return_val_if_fail (!error || !*error, NULL);
  const char *text = vyre_text_skip_mark (program);
  if (g_str_has_prefix (text, "builtin:"))
    return vyre_program_builtin (text + strlen ("builtin:"), error);
  VyreProgram *assembled = vyre_program_assemble (text, error);
  if (!assembled && vyre_builtin_text (text)) {
    g_clear_error (error);
    g_set_error (error, VYRE_ERROR, VYRE_ERROR_INVALID,
        "'%s' is the name of a built-in program. Fix: write builtin:%s.", text, text);
  }
  return assembled;
}
