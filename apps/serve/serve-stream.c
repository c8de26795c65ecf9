/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "serve-stream.h"

/* After which time without a line a comment tells the client that the server is there, in µs */
#define HEARTBEAT (10 * G_USEC_PER_SEC)

/* Milliseconds after which a browser comes back */
#define RETRY "1000"

struct _ServeStream {
  SoupServerMessage *message;
  ServeLines *lines;
  GPtrArray *streams; /* which has this one until the message is finished */
  guint64 cursor;     /* the last line that was handed to libsoup */
  gint64 last_write;  /* in µs */
  gboolean is_writing;
};

static void
stream_write (ServeStream *stream, GString *text)
{
  SoupMessageBody *body = soup_server_message_get_response_body (stream->message);
  g_autoptr (GBytes) bytes = g_string_free_to_bytes (text);

  soup_message_body_append_bytes (body, bytes);
  stream->is_writing = TRUE;
  stream->last_write = g_get_monotonic_time ();
  soup_server_message_unpause (stream->message);
}

static void
stream_finish (ServeStream *stream)
{
  soup_message_body_complete (soup_server_message_get_response_body (stream->message));
  stream->is_writing = TRUE;
  soup_server_message_unpause (stream->message);
}

/* Writes what has come, once the client has taken what was written before. */
void
serve_stream_pump (ServeStream *stream)
{
  if (stream->is_writing)
    return;
  GString *events = g_string_new (NULL);
  gboolean goes_on = serve_lines_read (stream->lines, &stream->cursor, events);

  if (goes_on && events->len == 0 && g_get_monotonic_time () - stream->last_write > HEARTBEAT)
    g_string_append (events, ":\n\n");
  if (events->len > 0) {
    stream_write (stream, events);
    return;
  }
  g_string_free (events, TRUE);
  if (!goes_on)
    stream_finish (stream);
}

static void
stream_take_chunk (SoupServerMessage *message, ServeStream *stream)
{
  stream->is_writing = FALSE;
  serve_stream_pump (stream);
}

static void
stream_gone (SoupServerMessage *message, ServeStream *stream)
{
  g_ptr_array_remove_fast (stream->streams, stream);
  g_signal_handlers_disconnect_by_data (message, stream);
  g_object_unref (message);
  g_free (stream);
}

/* Answers @message with the lines behind @cursor; adds a ServeStream to @streams until the client
 * has gone, or has all lines. */
void
serve_stream_start (
    SoupServerMessage *message, ServeLines *lines, guint64 cursor, GPtrArray *streams)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  gboolean is_old = soup_server_message_get_http_version (message) == SOUP_HTTP_1_0;
  ServeStream *stream = g_new0 (ServeStream, 1);

  *stream = (ServeStream){ g_object_ref (message), lines, streams, cursor, 0, FALSE };
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_headers_set_content_type (headers, "text/event-stream", NULL);
  soup_message_headers_set_encoding (headers, is_old ? SOUP_ENCODING_EOF : SOUP_ENCODING_CHUNKED);
  soup_message_body_set_accumulate (soup_server_message_get_response_body (message), FALSE);
  g_signal_connect (message, "wrote-chunk", G_CALLBACK (stream_take_chunk), stream);
  g_signal_connect (message, "finished", G_CALLBACK (stream_gone), stream);
  g_ptr_array_add (streams, stream);
  stream_write (stream, g_string_new ("retry: " RETRY "\n\n"));
}
