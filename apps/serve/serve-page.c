/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "serve-page.h"

#include <gio/gio.h>
#include <string.h>

#include "serve-resources.h"

#define DIGEST_BYTES 32 /* of SHA-256 */

/* The parts of the script, in their order */
static const char *const scripts[]
    = { "format.js", "model.js", "plot.js", "panels.js", "tables.js", "page.js" };

static void
append_part (GString *text, const char *name)
{
  g_autofree char *path = g_strconcat ("/vyre/serve/", name, NULL);
  g_autoptr (GBytes) part
      = g_resource_lookup_data (serve_get_resource (), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  gsize size;
  const char *bytes = g_bytes_get_data (part, &size);

  g_string_append_len (text, bytes, (gssize)size);
}

/* The hash that a policy names a text by. */
static char *
make_hash (const GString *text)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[DIGEST_BYTES];
  gsize length = sizeof digest;

  g_checksum_update (checksum, (const guchar *)text->str, (gssize)text->len);
  g_checksum_get_digest (checksum, digest, &length);
  g_autofree char *base64 = g_base64_encode (digest, length);
  return g_strdup_printf ("'sha256-%s'", base64);
}

void
serve_page_init (ServePage *page)
{
  GString *html = g_string_new (NULL);
  g_autoptr (GString) style = g_string_new (NULL), script = g_string_new ("\"use strict\";\n");

  append_part (html, "page.html");
  append_part (style, "page.css");
  for (guint i = 0; i < G_N_ELEMENTS (scripts); i++)
    append_part (script, scripts[i]);
  g_autofree char *style_hash = make_hash (style), *script_hash = make_hash (script);
  g_string_replace (html, "@STYLE@", style->str, 1);
  g_string_replace (html, "@SCRIPT@", script->str, 1);
  page->html = g_string_free_to_bytes (html);
  page->policy = g_strdup_printf (
      "default-src 'none'; style-src %s; script-src %s; connect-src 'self'; img-src data:; "
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      style_hash, script_hash);
}

void
serve_page_clear (ServePage *page)
{
  g_bytes_unref (page->html);
  g_free (page->policy);
}
