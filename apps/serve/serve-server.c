/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libsoup/soup.h>
#include <string.h>

#include "serve-access.h"
#include "serve-address.h"
#include "serve-page.h"
#include "serve-stream.h"
#include "serve.h"

/* Clients that read the lines, and all connections, at a time */
#define MOST_STREAMS 16
#define MOST_CONNECTIONS 64

/* Seconds after which a connection is closed that neither sends nor takes anything */
#define TIMEOUT 30

/* Milliseconds from one look for lines to the next, and until the last clients have to have all */
#define TICK 50
#define DRAIN 2000

struct _Serve {
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  GSocketService *service;
  SoupServer *soup;
  ServeLines *lines;
  ServePage page;
  char *token; /* NULL: who reaches the loopback may read */
  char *cookie, *url;
  ServeStateFunc make_state;
  gpointer data;
  /* of the thread vyre-serve */
  GPtrArray *streams; /* of ServeStream */
  guint n_connections;
  guint n_ticks_left; /* until the loop ends; 0: it goes on */
};

static void
answer_text (SoupServerMessage *message, guint status, const char *text)
{
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (
      message, "text/plain; charset=utf-8", SOUP_MEMORY_COPY, text, strlen (text));
}

static const char *
get_header (SoupServerMessage *message, const char *name)
{
  return soup_message_headers_get_one (soup_server_message_get_request_headers (message), name);
}

static void
set_header (SoupServerMessage *message, const char *name, const char *value)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (message), name, value);
}

/* Whether the token comes with the request: in the URL, as a cookie, or in Authorization. */
static gboolean
serve_knows (const Serve *serve, SoupServerMessage *message, GHashTable *query)
{
  const char *bearer = get_header (message, "Authorization");
  g_autofree char *cookies = g_strdup (
      soup_message_headers_get_list (soup_server_message_get_request_headers (message), "Cookie"));
  g_autofree char *cookie = serve_access_find_cookie (cookies, serve->cookie);

  return serve_access_matches (serve->token, query ? g_hash_table_lookup (query, "token") : NULL)
         || serve_access_matches (serve->token, cookie)
         || (bearer && g_str_has_prefix (bearer, "Bearer ")
             && serve_access_matches (serve->token, bearer + strlen ("Bearer ")));
}

static void
serve_set_headers (const Serve *serve, SoupServerMessage *message)
{
  set_header (message, "Content-Security-Policy", serve->page.policy);
  set_header (message, "Cross-Origin-Resource-Policy", "same-origin");
  set_header (message, "X-Content-Type-Options", "nosniff");
  set_header (message, "Referrer-Policy", "no-referrer");
  set_header (message, "Cache-Control", "no-store");
}

/* Refuses requests, as soon as their headers are there: a request that has an answer by now gets no
 * other one, and no body is kept. */
static void
serve_check (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
    gpointer data)
{
  Serve *serve = data;
  const char *method = soup_server_message_get_method (message);
  const char *host = get_header (message, "Host");

  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
  serve_set_headers (serve, message);
  if (!serve->token && !serve_access_is_loopback (host)) {
    answer_text (message, SOUP_STATUS_FORBIDDEN,
        "Without a token this page is under names of the loopback alone. Fix: open it as localhost "
        "or 127.0.0.1, or pass --serve-token to vyre-qc.\n");
  } else if (!serve_access_is_same_origin (get_header (message, "Origin"), host)) {
    answer_text (message, SOUP_STATUS_FORBIDDEN,
        "Another site asks for this page. Fix: open the URL that vyre-qc printed.\n");
  } else if (serve->token && !serve_knows (serve, message, query)) {
    set_header (message, "WWW-Authenticate", "Bearer");
    answer_text (message, SOUP_STATUS_UNAUTHORIZED,
        "This page takes a token. Fix: open the URL that vyre-qc printed, with its token.\n");
  } else if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD) {
    set_header (message, "Allow", "GET, HEAD");
    answer_text (message, SOUP_STATUS_METHOD_NOT_ALLOWED, "Fix: use GET or HEAD.\n");
  }
}

/* Answers with the page. A token moves out of the URL, which histories and pictures of screens
 * show, into a cookie. */
static void
serve_answer_page (Serve *serve, SoupServerMessage *message, GHashTable *query)
{
  gsize size;
  const char *html = g_bytes_get_data (serve->page.html, &size);

  if (serve->token && query && g_hash_table_contains (query, "token")) {
    g_autofree char *cookie
        = g_strdup_printf ("%s=%s; HttpOnly; SameSite=Lax; Path=/", serve->cookie, serve->token);
    set_header (message, "Set-Cookie", cookie);
    soup_server_message_set_redirect (message, SOUP_STATUS_SEE_OTHER, "/");
    return;
  }
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (
      message, "text/html; charset=utf-8", SOUP_MEMORY_STATIC, html, size);
}

static void
serve_answer_state (Serve *serve, SoupServerMessage *message)
{
  char *state = serve->make_state (serve->data);

  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (
      message, "application/json", SOUP_MEMORY_TAKE, state, strlen (state));
}

/* Goes on behind the line of the header Last-Event-ID, which a browser sends when it comes back, or
 * of the field `after` of the URL. An id of another run begins with what is kept. A client that has
 * all lines is told to come no more. */
static void
serve_answer_events (Serve *serve, SoupServerMessage *message, GHashTable *query)
{
  const char *last = get_header (message, "Last-Event-ID");
  const char *after = last ? last : query ? g_hash_table_lookup (query, "after") : NULL;
  g_autoptr (GString) nothing = g_string_new (NULL);
  guint64 cursor, end;

  serve_lines_find (serve->lines, after, &cursor);
  end = cursor;
  if (soup_server_message_get_method (message) == SOUP_METHOD_HEAD) {
    soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
    soup_message_headers_set_content_type (
        soup_server_message_get_response_headers (message), "text/event-stream", NULL);
  } else if (!serve_lines_read (serve->lines, &end, nothing)) {
    soup_server_message_set_status (message, SOUP_STATUS_NO_CONTENT, NULL);
  } else if (serve->streams->len >= MOST_STREAMS) {
    set_header (message, "Retry-After", "10");
    answer_text (message, SOUP_STATUS_SERVICE_UNAVAILABLE,
        "There are too many clients. Fix: close another page.\n");
  } else {
    serve_stream_start (message, serve->lines, cursor, serve->streams);
  }
}

static void
serve_answer (SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
    gpointer data)
{
  Serve *serve = data;

  if (g_str_equal (path, "/"))
    serve_answer_page (serve, message, query);
  else if (g_str_equal (path, "/events"))
    serve_answer_events (serve, message, query);
  else if (g_str_equal (path, "/results.json"))
    serve_answer_state (serve, message);
  else
    answer_text (message, SOUP_STATUS_NOT_FOUND,
        "There is no such page. Fix: open /, /events or /results.json.\n");
}

static void
serve_forget_connection (gpointer data, GObject *connection)
{
  Serve *serve = data;

  serve->n_connections--;
}

/* Hands a connection to libsoup, which bounds neither their number nor their time. */
static gboolean
serve_take_connection (
    GSocketService *service, GSocketConnection *connection, GObject *source, gpointer data)
{
  Serve *serve = data;
  g_autoptr (GSocketAddress) local = g_socket_connection_get_local_address (connection, NULL);
  g_autoptr (GSocketAddress) remote = g_socket_connection_get_remote_address (connection, NULL);

  if (serve->n_connections >= MOST_CONNECTIONS) {
    g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
    return TRUE;
  }
  serve->n_connections++;
  g_object_weak_ref (G_OBJECT (connection), serve_forget_connection, serve);
  g_socket_set_timeout (g_socket_connection_get_socket (connection), TIMEOUT);
  soup_server_accept_iostream (serve->soup, G_IO_STREAM (connection), local, remote, NULL);
  return TRUE;
}

/* Ends the loop once all clients have all lines, or had the time for it. */
static gboolean
serve_tick (gpointer data)
{
  Serve *serve = data;

  for (guint i = serve->streams->len; i-- > 0;)
    serve_stream_pump (serve->streams->pdata[i]);
  if (serve->n_ticks_left > 0 && (serve->streams->len == 0 || --serve->n_ticks_left == 0))
    g_main_loop_quit (serve->loop);
  return G_SOURCE_CONTINUE;
}

static gpointer
serve_run (gpointer data)
{
  Serve *serve = data;
  g_autoptr (GSource) tick = g_timeout_source_new (TICK);

  g_main_context_push_thread_default (serve->context);
  g_source_set_callback (tick, serve_tick, serve, NULL);
  g_source_attach (tick, serve->context);
  g_main_loop_run (serve->loop);
  g_source_destroy (tick);
  g_socket_service_stop (serve->service);
  g_socket_listener_close (G_SOCKET_LISTENER (serve->service));
  soup_server_disconnect (serve->soup);
  while (g_main_context_iteration (serve->context, FALSE))
    ;
  g_main_context_pop_thread_default (serve->context);
  return NULL;
}

static gboolean
serve_begin_to_end (gpointer data)
{
  Serve *serve = data;

  serve->n_ticks_left = DRAIN / TICK;
  return G_SOURCE_REMOVE;
}

static void
set_listen_error (GError **error, const GError *reason, const char *place)
{
  const char *remedy = "name an address of this machine";

  if (g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    remedy = "name another port, or none";
  else if (g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    remedy = "name a port from 1024 on";
  g_set_error (error, reason->domain, reason->code, "%s cannot be served at: %s. Fix: %s.", place,
      reason->message, remedy);
}

/* Returns: (transfer full): the address with its port; NULL with the error set */
static GSocketAddress *
serve_listen (Serve *serve, GSocketAddress *address, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autofree char *place = serve_address_describe (address);
  GSocketAddress *bound = NULL;

  if (!g_socket_listener_add_address (G_SOCKET_LISTENER (serve->service), address,
          G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &bound, &reason))
    set_listen_error (error, reason, place);
  return bound;
}

static gboolean
serve_set_token (Serve *serve, GSocketAddress *address, const char *token_path, GError **error)
{
  if (!token_path && serve_address_is_loopback (address))
    return TRUE;
  serve->token
      = token_path ? serve_access_read_token (token_path, error) : serve_access_make_token (error);
  return serve->token != NULL;
}

static gboolean
serve_open (Serve *serve, const char *address, const char *token_path, GError **error)
{
  g_autoptr (GSocketAddress) asked = serve_address_parse (address, error);

  if (!asked || !serve_set_token (serve, asked, token_path, error))
    return FALSE;
  g_main_context_push_thread_default (serve->context);
  serve->service = g_socket_service_new ();
  g_socket_listener_set_backlog (G_SOCKET_LISTENER (serve->service), MOST_CONNECTIONS);
  serve->soup = soup_server_new ("server-header", "vyre-qc", NULL);
  g_autoptr (GSocketAddress) bound = serve_listen (serve, asked, error);
  g_main_context_pop_thread_default (serve->context);
  if (!bound)
    return FALSE;
  g_autofree char *place = serve_address_describe (bound);
  serve->url
      = g_strconcat ("http://", place, "/", serve->token ? "?token=" : NULL, serve->token, NULL);
  serve->cookie
      = g_strdup_printf ("vyre-%u", g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)));
  return TRUE;
}

Serve *
serve_new (const char *address, const char *token_path, GError **error)
{
  Serve *serve = g_new0 (Serve, 1);

  serve->context = g_main_context_new ();
  serve->loop = g_main_loop_new (serve->context, FALSE);
  serve->lines = serve_lines_new ();
  serve->streams = g_ptr_array_new ();
  serve_page_init (&serve->page);
  if (serve_open (serve, address, token_path, error))
    return serve;
  serve_free (serve);
  return NULL;
}

const char *
serve_get_url (const Serve *serve)
{
  return serve->url;
}

void
serve_start (Serve *serve, ServeStateFunc make_state, gpointer data)
{
  serve->make_state = make_state;
  serve->data = data;
  soup_server_add_early_handler (serve->soup, NULL, serve_check, serve, NULL);
  soup_server_add_handler (serve->soup, NULL, serve_answer, serve, NULL);
  g_signal_connect (serve->service, "incoming", G_CALLBACK (serve_take_connection), serve);
  serve->thread = g_thread_new ("vyre-serve", serve_run, serve);
}

void
serve_add_line (Serve *serve, const char *json)
{
  serve_lines_add (serve->lines, json);
}

char *
serve_get_last_id (Serve *serve)
{
  return serve_lines_get_last_id (serve->lines);
}

void
serve_end (Serve *serve)
{
  serve_lines_end (serve->lines);
}

void
serve_free (Serve *serve)
{
  if (!serve)
    return;
  if (serve->thread) {
    serve_end (serve);
    g_main_context_invoke (serve->context, serve_begin_to_end, serve);
    g_thread_join (serve->thread);
  }
  g_clear_object (&serve->soup);
  g_clear_object (&serve->service);
  g_main_loop_unref (serve->loop);
  g_main_context_unref (serve->context);
  serve_page_clear (&serve->page);
  serve_lines_free (serve->lines);
  g_ptr_array_unref (serve->streams);
  g_free (serve->token);
  g_free (serve->cookie);
  g_free (serve->url);
  g_free (serve);
}
