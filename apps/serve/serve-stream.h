/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A client that reads the lines as they come. All of it belongs to the thread vyre-serve. A slow
 * client is told how many lines it missed: nothing waits for it, and nothing is kept for it but
 * what is being written.
 */
#pragma once

#include <libsoup/soup.h>

#include "serve-lines.h"

typedef struct _ServeStream ServeStream;

void serve_stream_start (
    SoupServerMessage *message, ServeLines *lines, guint64 cursor, GPtrArray *streams);
void serve_stream_pump (ServeStream *stream);
