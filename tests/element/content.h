/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Buffers whose content follows from the number of their stream and their own, and the words that
 * each of some programs has to leave of them.
 */
#pragma once

#include <glib.h>

#define CONTENT_MAX_SIZE (160 * 1024)
#define CONTENT_MIN_SIZE 16

#define CONTENT_N_PROGRAMS 4
#define CONTENT_MAX_WORDS 10

/* The observables of a readback, from the first on that no fence writes. */
typedef struct {
  guint n;
  guint32 words[CONTENT_MAX_WORDS];
} ContentWords;

void content_init (void);
const gchar *content_get_program (guint program);
guint8 *content_new (guint stream, guint64 number, gsize size);
ContentWords content_expect (guint program, guint rate, const guint8 *data, gsize size);
