/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Small pictures of moments of a film.
 */
#pragma once

#include <gst/gst.h>

/* The pictures of one film. NULL, where none can be made, has none. */
typedef struct _QcThumbnails QcThumbnails;

QcThumbnails *qc_thumbnails_new (const char *uri);
char *qc_thumbnails_make_link (QcThumbnails *thumbnails, GstClockTime time);
void qc_thumbnails_free (QcThumbnails *thumbnails);
